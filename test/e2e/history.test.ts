/** Looking back and going back: log, rollback, forget, hosts that leave the tree, ping. */
import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'
import { sleeper } from './trees.ts'

const TREE = { 'web1/a/x': 'one\n', 'web2/a/x': 'one\n' }
const X = '/var/lib/deptool/apps/a/current/x'

test('log tells who deployed what and when, and how it ended, also what failed', realHosts, async t => {
  const ada = await makeWorld(t, TREE, { hosts: 'real' })
  const bob = await ada.colleague('Bob')
  await ada
    .run('log')
    .stderr("this repository has not recorded a deployment\nhint: run 'git deploy sync' to ask the hosts\n")
  await ada.deploy()
  ada.write({ 'web1/b/systemd/b.service': '[Service]\nExecStart=/bin/false\n' })
  ada.write({ 'web1/b/manifest.json': '{"systemd": {"units_enabled": ["b.service"]}}' })
  await ada.run('prod', '--yes').exits(4).stdout(anything).stderr(anything)
  ada.write({ 'web1/b/manifest.json': '{"symlinks": {"/etc/nowhere/x": "manifest.json"}}' })
  await ada.run('prod', '--yes').exits(1).stdout(anything).stderr(anything)

  const failed = `deployment <id>
Author: Ada <ada@example.com>
Date:   <date>

    from <oid> with uncommitted changes (first)
    web1  rolled back after <time>, add b: b.service exited with 1
`
  const first = `
deployment <id>
Author: Ada <ada@example.com>
Date:   <date>

    from <oid> (first)
    web1  deployed in <time>, add a
    web2  deployed in <time>, add a
`
  await ada.run('log').stdout(
    `deployment <id>
Author: Ada <ada@example.com>
Date:   <date>

    from <oid> with uncommitted changes (first)
    web1  nothing changed, add b: the directory '/etc/nowhere' for the link '/etc/nowhere/x' does not exist

${failed}${first}`,
  )
  await ada.run('log', 'web2').stdout(first.trimStart().replace(/ {4}web1.*\n/, ''))
  // Somebody else hears of what began on the hosts.
  await bob.run('sync', 'prod').stdout(anything)
  // What failed is known there by the host's record alone.
  await bob.run('log').stdout(`${failed.replace(/ {4}from .*\n/, '')}${first}`)
  await bob
    .run('log', 'web7')
    .exits(1)
    .stderr(
      "fatal: cannot show the log of 'web7': this repository does not know this host\nhint: did you mean 'web1'?\n",
    )
})

test('log is paged on a terminal', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  await world.git('config', 'core.pager', 'sed s/^/paged:/')
  await world
    .runInTerminal(['log', 'web1', '--no-color'])
    .stdout(/^paged:deployment <id>\r?\npaged:Author: Ada/)
  await world.run('log', 'web1').stdout(/^deployment <id>\nAuthor: Ada/)
  await world.git('config', 'core.pager', 'no-such-pager')
  await world.runInTerminal(['log', 'web1', '--no-color']).stdout(/deployment <id>\r?\nAuthor: Ada/)
})

test('rollback goes back to what ran before, by a new deployment, and again forward', async t => {
  const world = await makeWorld(t, { ...TREE, 'db1/a/x': 'one\n' })
  await world.deploy()
  const source = await world.git('rev-parse', 'HEAD')
  world.write({ 'web1/a/x': 'two\n', 'web2/a/y': 'two\n' })
  const bad = await world.commit('a bad idea')
  await world.deploy()
  await world.run('rollback', '--dry-run').stdout(
    `prod back to what ran before deployment <id> by Ada

web1
    update a
        ~ x

web2
    update a
        - y
`,
  )
  await world
    .run('rollback')
    .exits(1)
    .stdout(/update a/)
    .stderr(/^fatal: cannot ask for confirmation: not a terminal/)
  await world
    .runInTerminal(['rollback', 'web2', '--no-color'], [["Deploy to 1 host in 'prod'? ", 'y\n']])
    .stdout(/web2\r?\n {4}update a\r?\n {8}- y(?:.|\s)*deployed to 1 host in 'prod'/)
  assert.equal(world.host('web1').read(X), 'two\n')
  await world
    .run('rollback', 'web1', '--yes')
    .stdout(/web1\n {4}update a\n {8}~ x\n\ndeployed to 1 host in 'prod'/)
    .stderr(anything)
  assert.equal(world.host('web1').read(X), 'one\n')
  const trailer = '%(trailers:key=Deptool-Source,valueonly,separator=)'
  assert.equal(
    await world.git('log', `--format=%s ${trailer}`, 'refs/deptool/web1'),
    [
      `web1: back to ${(await world.git('rev-parse', 'refs/deptool/web1~2')).slice(0, 10)}: update a ${source}`,
      `web1: update a ${bad}`,
      `web1: add a ${source}`,
    ].join('\n'),
  )
  assert.equal(
    await world.git('rev-parse', 'refs/deptool/web1:'),
    await world.git('rev-parse', 'refs/deptool/web1~2:'),
  )
  assert.equal(await world.git('log', '-1', '--format=%s', 'refs/deptool'), 'prod: roll back web1')
  await world
    .run('log', 'web1')
    .stdout(
      /^deployment <id>\n.*\n.*\n\n {4}from .*\n {4}web1 {2}deployed in <time>, back to <oid>: update a\n/,
    )
  // The tree still has it, so it is pending; and going back from going back goes forward.
  await world
    .run('plan', 'prod', '--exit-code')
    .exits(2)
    .stdout(/web1\n {4}update a/)
  await world.run('rollback', '--yes').stdout(anything).stderr(anything)
  assert.equal(world.host('web1').read(X), 'two\n')
})

test('the last deployment is the last one, also of several in one second', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  for (let round = 0; round < 8; round++) {
    const host = round % 2 === 0 ? 'web1' : 'web2'
    world.write({ [`${host}/a/x`]: `${round}\n` })
    await world.deploy()
    await world
      .run('rollback', '-n')
      .stdout(`prod back to what ran before deployment <id> by Ada\n\n${host}\n    update a\n        ~ x\n`)
    await world.run('log').stdout(new RegExp(`^deployment <id>\\n.*\\n.*\\n\\n {4}from .*\\n {4}${host} `))
  }
})

test('rollback goes past repairs, which deploy the same once more', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  world.write({ 'web1/a/x': 'two\n' })
  await world.deploy()
  for (const drift of ['once\n', 'twice\n']) {
    writeFileSync(join(world.host('web1').directory, X), drift)
    await world.deploy('--repair')
  }
  assert.equal(world.host('web1').read(X), 'two\n')
  await world
    .run('rollback', '--yes')
    .stdout(/^web1\n {4}update a\n {8}~ x\n/m)
    .stderr(anything)
  assert.equal(world.host('web1').read(X), 'one\n')
})

test('rollback refuses where nothing ran before', async t => {
  const world = await makeWorld(t, TREE)
  await world
    .run('rollback')
    .exits(1)
    .stderr(
      "fatal: cannot roll back: this repository has not recorded a deployment\nhint: run 'git deploy sync' to ask the hosts what they run\n",
    )
  await world.deploy()
  await world
    .run('rollback', 'web1')
    .exits(1)
    .stderr(`fatal: cannot roll back 'web1': it has no earlier deployment
hint: to remove its apps, empty the directory 'prod/web1' and deploy
`)
  await world
    .run('rollback', 'web11')
    .exits(1)
    .stderr(/^fatal: cannot roll back 'web11': .*\nhint: did you mean 'web1'\?\n$/)
})

test('rollback is as safe as any deployment: what does not run is rolled back itself', realHosts, async t => {
  const broken = {
    'web1/a/systemd/a.service':
      '[Service]\nExecStart=/bin/sh -c "test -e /run/good && exec sleep infinity"\n',
    'web1/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"]}}',
  }
  const world = await makeWorld(t, broken, { hosts: 'real' })
  const web1 = world.host('web1')
  await web1.output('touch /run/good')
  await world.deploy()
  world.write(sleeper('web1', 'a'))
  await world.deploy()
  await web1.output('rm /run/good')
  await world
    .run('rollback', '--yes')
    .exits(4)
    .stdout(/web1\n {4}update a/)
    .stderr(/rolled back: a.service exited with 1/)
  assert.equal((await web1.unit('a.service')).active, 'active')
  assert.equal(await world.git('rev-list', '--count', 'refs/deptool/web1'), '2')
  await web1.output('touch /run/good')
  await world
    .run('rollback', '--yes')
    .stdout(/deployed to 1 host/)
    .stderr(anything)
  assert.match(web1.read('/etc/systemd/system/a.service'), /run\/good/)
})

test('forget stops tracking and touches no host', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  world.remove('web2')
  await world.run('plan').stdout(
    `web2 is no longer in 'prod' and is left alone
hint: to remove its apps, use --prune
hint: to stop tracking it, run 'git deploy forget web2'

prod is up to date (1 host)
`,
  )
  await world.run('forget', 'web2').stdout('forgot web2 (was <oid>)\n')
  await world.run('plan').stdout('prod is up to date (1 host)\n')
  assert.equal(world.host('web2').read(X), 'one\n')
  assert.equal(await world.git('ls-tree', '--name-only', 'refs/deptool'), 'web1')
  assert.equal(await world.git('log', '-1', '--format=%s', 'refs/deptool'), 'forget web2')
  await world
    .run('forget', 'web1', 'web2')
    .exits(1)
    .stderr(
      "fatal: cannot forget 'web2': this repository does not know this host\nhint: did you mean 'web1'?\n",
    )
  assert.match(await world.git('rev-parse', 'refs/deptool/web1'), /^[0-9a-f]{40}$/, 'all or nothing')
  // Even a ref that names no commit.
  await world.git('update-ref', 'refs/deptool/web1', await world.git('rev-parse', 'HEAD:prod/web1/a/x'))
  await world
    .run('plan')
    .exits(1)
    .stderr(/hint: run 'git deploy forget web1'/)
  await world.run('forget', 'web1').stdout('forgot web1 (was <oid>)\n')
  await world.run('sync', 'prod').stdout('web1  new <oid>, 1 deployment by Ada\n')
  await world.run('plan').stdout('prod is up to date (1 host)\n')
})

test('--prune removes the apps of hosts that have left the tree, and stops tracking them', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  world.remove('web2')
  const pruned = `web2 (no longer in 'prod')
    remove a
        - x
`
  const header = 'prod from the working tree (main <oid>, with uncommitted changes)\n\n'
  await world.run('plan', '--prune', '--exit-code').exits(2).stdout(`${header}${pruned}`)
  await world.run('diff', '--prune', '--name-status').stdout('D\tweb2/a/x\n')
  await world
    .run('prod', '--prune', '--yes')
    .stdout(`${header}${pruned}\ndeployed to 1 host in 'prod' in <time> (<id>)\n`)
    .stderr(anything)
  assert.deepEqual(world.host('web2').tree('/var/lib/deptool/apps'), [])
  assert.equal(await world.git('for-each-ref', '--format=%(refname)', 'refs/deptool/'), 'refs/deptool/web1')
  assert.match(
    await world.git('log', '--format=%s', 'refs/deptool'),
    /^web2: remove a$/m,
    'its end is history',
  )
  await world.run('plan', '--prune').stdout('prod is up to date (1 host)\n')
})

test('--prune stops tracking a host that had lost its apps before, once, and without touching it', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  world.remove('web2/a')
  world.write({ 'web2/.gitkeep': '' })
  await world.deploy()
  world.remove('web2')
  rmSync(world.host('web2').directory, { recursive: true })
  const said =
    "web2 has no apps and is no longer in 'prod': --prune stops tracking it\n\nprod is up to date (1 host)\n"
  await world.run('plan', '--prune', '--exit-code').exits(2).stdout(said)
  await world.run('prod', '--prune', '--dry-run').stdout(said)
  await world.run('prod', '--prune', '--yes').stdout(`${said}forgot web2\n`)
  await world.run('prod', '--prune', '--yes').stdout('prod is up to date (1 host)\n')
})

test('when the last host has left the tree, it is told how its apps can go', async t => {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n' })
  await world.deploy()
  await world.git('rm', '-rq', 'prod/web1')
  await world.commit()
  const hint = `hint: web1 was deployed from this directory; to remove its apps, create the empty directory again ('prod/.gitkeep') and use --prune
`
  await world
    .run('prod', '--prune')
    .exits(1)
    .stderr(`fatal: cannot read 'prod': there is no such directory\n${hint}`)
  await world
    .run('plan', 'prod', 'HEAD')
    .exits(1)
    .stderr(`fatal: cannot read 'prod' in revision 'HEAD': there is no such directory\n${hint}`)
  world.write({ '../live/web1/a/x': 'one\n' })
  await world
    .run('prod', '--prune')
    .exits(1)
    .stderr(/^fatal: .*\nhint: the clusters of this repository are 'live'\n$/)
  rmSync(join(world.repo, 'live'), { recursive: true })
  world.write({ '.gitkeep': '' })
  await world.commit()
  await world
    .run('prod', 'HEAD', '--prune', '--yes')
    .stdout(/remove a/)
    .stderr(anything)
})

test('a cluster that is further down, called by its name alone, is not taken for one that is gone', async t => {
  const world = await makeWorld(t, { '../infra/prod/web1/a/x': 'one\n' }, { moreHosts: ['web1'] })
  await world.git('config', 'deptool-host.web1.url', `local:${world.host('web1').directory}`)
  await world.run('infra/prod', '--yes').stdout(anything).stderr(anything)
  await world
    .run('plan', 'prod')
    .exits(1)
    .stderr(/^fatal: cannot read 'prod'(?!.*--prune)/s)
})

test('a host that cannot be pruned stays tracked', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  world.remove('web2')
  rmSync(world.host('web2').directory, { recursive: true })
  await world.run('prod', '--prune', '--yes').exits(1).stdout(anything).stderr(anything)
  assert.equal(
    await world.git('for-each-ref', '--format=%(refname)', 'refs/deptool/web2'),
    'refs/deptool/web2',
  )
})

test('ping: who answers, how quickly, as whom, and what it runs', realHosts, async t => {
  const world = await makeWorld(t, { ...TREE, 'web3/a/x': 'one\n' }, { hosts: 'real' })
  world.logInAs('deploy', 'web2')
  await world
    .run('ping', 'prod')
    .stdout(
      /^web1 {2}[\d.]+\/[\d.]+\/<time> +as root {4}agent 0\.1\.0 \(just installed\) {2}nothing deployed\nweb2 {2}[\d.]+\/[\d.]+\/<time> +as deploy {2}agent .*\nweb3 .*\n$/,
    )
  await world.deploy()
  await world.git('update-ref', '-d', 'refs/deptool/web2')
  ;(await world.relay('web3')).refuse()
  await world
    .run('ping', 'prod')
    .exits(1)
    .stdout(
      /^web1 .* agent 0\.1\.0 {2}runs <oid>, as recorded\nweb2 .* runs <oid>, but this repository has recorded nothing\nweb3 {2}cannot connect to .*\n$/,
    )
    .stderr('fatal: cannot ping web3\n')
})

test('ping and sync read no more of the tree than the names of hosts', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  world.write({ 'web1/a/manifest.json': 'not JSON' })
  writeFileSync(join(world.host('web2').directory, 'etc/hostname'), 'mail7\n')
  await world
    .run('ping')
    .exits(1)
    .stdout(/^web1 .*, as recorded\nweb2 {2}the host calls itself 'mail7'\n$/)
    .stderr(/^hint: check the address; \/etc\/hostname .*\nfatal: cannot ping web2\n$/)
  await world
    .run('sync')
    .exits(1)
    .stdout(/^web1 {2}unchanged <oid>\nweb2 {2}the host calls itself 'mail7'\n$/)
    .stderr(anything)
  const bare = join(world.home, 'bare.git')
  await world.git('clone', '--quiet', '--bare', world.repo, bare)
  const synced = await world.execute(['git', '-C', bare, 'deploy', 'sync', 'prod'])
  assert.match(synced.stdout, /^web1 {2}new [0-9a-f]{7}, 1 deployment by Ada\nweb2 {2}the host calls itself/)
})

test('log and rollback take a deployment by its id, and log as many as asked for', async t => {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n', 'web2/a/x': 'one\n', 'web3/a/x': 'one\n' })
  await world.deploy()
  const changes = [
    ['web1', 'web2'],
    ['web2', 'web3'],
  ]
  const ids: string[] = []
  for (const hosts of changes) {
    for (const host of hosts) world.write({ [`${host}/a/x`]: `of ${hosts.join()}\n` })
    await world.commit(`for ${hosts.join(' and ')}`)
    const { stdout } = await world.execute(['git', 'deploy', 'prod', '--yes', '--json'])
    ids.push(JSON.parse(stdout.trim().split('\n').at(-1)!).deployment)
  }
  const [first = '', second = ''] = ids
  const shown = (subject: string, ...hosts: string[]) =>
    `deployment <id>\nAuthor: Ada <ada@example.com>\nDate:   <date>\n\n    from <oid> (${subject})\n${hosts.map(host => `    ${host}  deployed in <time>, update a\n`).join('')}`
  await world.run('log', first).stdout(shown('for web1 and web2', 'web1', 'web2'))
  await world.run('log', first, 'web3', '-n', '1').stdout(shown('for web2 and web3', 'web3'))
  await world.run('log', '-n2').stdout(/^(?:deployment[\s\S]*){2}$/)
  await world.run('log', '-n', '1').stdout(shown('for web2 and web3', 'web2', 'web3'))
  await world
    .run('log', '-n', 'x')
    .exits(129)
    .stderr(/^error: '-n' takes a number/)
  const unknown = '20201123T074502-3f9a1c0b7e'
  await world
    .run('log', unknown)
    .exits(1)
    .stderr(
      "fatal: cannot show deployment <id>: this repository does not know it\nhint: run 'git deploy sync' to ask the hosts of a cluster\n",
    )
  const run = (host: string) => world.host(host).read('/var/lib/deptool/apps/a/current/x')
  // web2 has been deployed to since.
  await world.run('rollback', '--yes', first).stdout(anything).stderr(anything)
  assert.deepEqual(['web1', 'web2', 'web3'].map(run), ['one\n', 'of web2,web3\n', 'of web2,web3\n'])
  await world.run('rollback', '--yes', second).stdout(anything).stderr(anything)
  assert.deepEqual(['web1', 'web2', 'web3'].map(run), ['one\n', 'of web1,web2\n', 'one\n'])
  await world
    .run('rollback', '--yes', second)
    .exits(1)
    .stderr(/^fatal: cannot roll back deployment <id>: as far as this repository knows, no host runs it\n/)
})
