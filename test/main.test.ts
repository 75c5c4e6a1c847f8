import assert from 'node:assert/strict'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { anything } from './support/outcome.ts'
import { makeWorld } from './support/world.ts'

const TREE = {
  'dns1/nsd/manifest.json': '{\n  "systemd": { "units_enabled": ["nsd.service"] }\n}\n',
  'dns1/nsd/zones/example.org.zone': 'one\n',
  'web1/www/index.html': 'hello\n',
}

/** The cluster `prod`, of which dns1 is deployed as it is committed. */
async function makeFleet(t: TestContext) {
  const world = await makeWorld(t, TREE)
  const track = async (host: string) => {
    const source = await world.git('rev-parse', 'HEAD')
    const message = `update ${host}\n\nDeptool-Cluster: prod\nDeptool-Source: ${source}\nDeptool-Deployment: 1`
    const commit = await world.git('commit-tree', `HEAD:prod/${host}`, '-m', message)
    await world.git('update-ref', `refs/deptool/${host}`, commit)
  }
  await track('dns1')
  const from = (dir: string, ...args: string[]) => world.execute(['git', '-C', dir, 'deploy', ...args])
  return { world, track, from }
}

const NEW_WEB = `
web1 (new host)
    add www
        + index.html
`

test('plan: from disk, from a revision, and when there is nothing to do', async t => {
  const { world, track } = await makeFleet(t)
  world.write({ 'dns1/nsd/zones/example.org.zone': 'two\n' })
  await world.run('plan', 'prod').stdout(`prod from the working tree (main <oid>, with uncommitted changes)

dns1
    update nsd
        ~ zones/example.org.zone
        restart nsd.service
${NEW_WEB}`)
  await world.run('plan', 'prod', 'HEAD').stdout(`prod from HEAD (<oid>)\n${NEW_WEB}`)
  await track('web1')
  await world.run('plan', 'prod', 'main').stdout('prod is up to date (2 hosts)\n')
  await world.run('prod', 'HEAD', '--dry-run').stdout('prod is up to date (2 hosts)\n')
})

test('a command that is mistyped, one that git has by another name, and a host where a cluster belongs', async t => {
  const { world } = await makeFleet(t)
  await world
    .run('staus')
    .exits(1)
    .stderr(
      "fatal: cannot read 'staus': there is no such directory\nhint: did you mean 'git deploy status'?\n",
    )
  await world
    .run('version')
    .exits(1)
    .stderr(/\nhint: did you mean 'git deploy --version'\?\n$/)
  await world
    .run('plan', 'prod/dns1')
    .exits(1)
    .stderr(
      "fatal: cannot use 'prod/dns1' as a cluster: it is inside the cluster 'prod'\nhint: 'dns1' is a host of 'prod': run 'git deploy plan prod --limit dns1'\n",
    )
  for (const command of ['plan', 'check', 'sync'])
    await world
      .run(command, 'prod/dns1/nsd')
      .exits(1)
      .stderr(/^fatal: cannot use 'prod\/dns1\/nsd' as a cluster: it is inside the cluster 'prod'\n/)
  await world
    .run('plan', 'prod', 'web1')
    .exits(1)
    .stderr(
      "fatal: cannot read revision 'web1': there is no such commit\nhint: 'web1' is a host of 'prod': run 'git deploy plan prod --limit web1'\n",
    )
  await world
    .run('plan', 'dns1/nsd')
    .exits(1)
    .stderr(
      "fatal: cannot read 'dns1/nsd': there is no such directory\nhint: the clusters of this repository are 'prod'\n",
    )
  await world
    .run('plan', '--frobnicate')
    .exits(129)
    .stderr(/^error: unknown option '--frobnicate'\nhint: use -h to list the options\nusage: /)
})

test('a cluster without hosts, and one that is not there yet', async t => {
  const world = await makeWorld(t, {}, { commit: false })
  await world
    .run('plan', 'prod')
    .exits(1)
    .stderr(
      "fatal: cannot read 'prod': there is no such directory\nhint: run 'git deploy init prod' to create it; the layout of a cluster is <cluster>/<host>/<app>/…\n",
    )
  await world.run('init').stdout(/created/)
  for (const command of ['plan', 'status', 'sync', 'ping'])
    await world.run(command).stdout('prod has no hosts: each host needs a directory in it\n')
  await world
    .run('plan', 'prd')
    .exits(1)
    .stderr("fatal: cannot read 'prd': there is no such directory\nhint: did you mean 'prod'?\n")
  writeFileSync(join(world.repo, 'notes'), 'a file\n')
  await world
    .run('plan', 'notes')
    .exits(1)
    .stderr(
      "fatal: cannot read 'notes': it is not a directory\nhint: the layout of a cluster is <cluster>/<host>/<app>/…\n",
    )
})

test('plan --exit-code tells pending changes', async t => {
  const { world, track } = await makeFleet(t)
  await world.run('plan', '--exit-code', 'prod').exits(2).stdout(/web1/)
  await world.run('plan', 'prod').stdout(/web1/)
  await track('web1')
  await world.run('plan', '--exit-code', 'prod').stdout(/up to date/)
})

test('a cluster is found from anywhere, by path or without one', async t => {
  const { world, from } = await makeFleet(t)
  const expected = await world
    .run('plan', 'prod')
    .stdout(`prod from the working tree (main <oid>)\n${NEW_WEB}`)
  assert.deepEqual(await from('.', 'plan', './prod/'), expected)
  assert.deepEqual(await from('prod/web1', 'plan', '..'), expected)
  assert.deepEqual(await from('prod/web1', 'plan', 'prod'), expected)
  assert.deepEqual(await from('prod/web1', 'plan', join(world.repo, 'prod')), expected)
  symlinkSync(world.repo, join(world.home, 'link'))
  assert.deepEqual(await from('prod/web1', 'plan', join(world.home, 'link/prod')), expected)
  assert.deepEqual(await from('prod', 'plan'), expected, 'the only one of which something is deployed')
  await world.git('update-ref', '-d', 'refs/deptool/dns1')
  await world.git('config', 'deptool.cluster', 'prod')
  assert.match((await from('prod', 'plan')).stdout, /^dns1 \(new host\)$/m)
})

test('a cluster that cannot be found', async t => {
  const { world } = await makeFleet(t)
  await world.git('update-ref', '-d', 'refs/deptool/dns1')
  await world.run('plan').exits(1).stderr('fatal: no cluster given\nhint: git deploy plan prod\n')
  await world
    .run('plan', 'staging')
    .exits(1)
    .stderr(
      "fatal: cannot read 'staging': there is no such directory\nhint: the clusters of this repository are 'prod'\n",
    )
  await world
    .run('plan', '../elsewhere')
    .exits(1)
    .stderr("fatal: cannot use '../elsewhere' as a cluster: it is outside this repository\n")
})

test('outside of a repository', async t => {
  const { world } = await makeFleet(t)
  const plan = await world.execute(['git', '-C', '/', 'deploy', 'plan', 'prod'])
  assert.equal(plan.code, 1)
  assert.match(plan.stderr, /^fatal: not a git repository/)
  const init = await world.execute(['git', '-C', '/', 'deploy', 'init'])
  assert.match(init.stderr, /\nhint: run 'git init' to create one here\n$/)
})

test('everything wrong with a tree is told at once, with its place', async t => {
  const { world, from } = await makeFleet(t)
  world.write({
    'web1/www/manifest.json': '{\n  "systemd": {\n    "units_enabled": [],\n    "unit": []\n  }\n}\n',
    'web1/cron/manifest.json': '{\n  "symlinks": {}\n  "systemd": {}\n}\n',
    'dns1/nsd/manifest.json': '{\n  "symlinks": { "/etc/nsd.conf": "nsd.conf" }\n}\n',
  })
  assert.deepEqual(await from('prod/web1', 'plan', '..'), {
    code: 1,
    stdout: '',
    stderr: `error: ../dns1/nsd/manifest.json:2:17: there is no 'nsd.conf' in the app
error: cron/manifest.json:3:3: the file is not valid JSON: comma expected
error: www/manifest.json:4:5: unknown key 'unit'
hint: expected one of 'units_enabled', 'units_reload', 'settle_ms'
fatal: cannot plan 'prod': 3 problems in the config tree
`,
  })
  await world.commit()
  await world
    .run('plan', 'prod', 'HEAD')
    .exits(1)
    .stderr(/^error: HEAD:prod\/web1\/www\/manifest\.json:4:5: unknown key 'unit'$/m)
})

test('a host belongs to one cluster', async t => {
  const { world } = await makeFleet(t)
  world.write({ '../staging/dns1/nsd/nsd.conf': '' })
  await world
    .run('plan', 'staging')
    .exits(1)
    .stderr(`fatal: cannot plan 'staging': its host 'dns1' is deployed from 'prod'
hint: a host can belong to only one cluster; if it has moved, run 'git rm -r prod/dns1'
`)
  await world.commit()
  await world
    .run('plan', 'staging', 'HEAD')
    .exits(1)
    .stderr(/is deployed from 'prod'\n/)
})

test('a host that is not in the tree any more is named; an empty directory removes its apps', async t => {
  const { world } = await makeFleet(t)
  world.remove('dns1')
  await world.run('plan', 'prod').stdout(/^dns1 is no longer in 'prod' and is left alone$/m)
  mkdirSync(join(world.repo, 'prod/dns1'))
  await world.run('plan', 'prod').stdout(/^dns1\n {4}remove nsd$/m)
})

test('diff is git diff', async t => {
  const { world, track, from } = await makeFleet(t)
  world.write({ 'dns1/nsd/zones/example.org.zone': 'two\n' })
  assert.deepEqual(await from('prod/web1', 'diff', 'prod', '--name-status'), {
    code: 0,
    stdout: 'M\tdns1/nsd/zones/example.org.zone\nA\tweb1/www/index.html\n',
    stderr: '',
  })
  const { stdout } = await from('prod', 'diff', 'prod', '-U0', '--color=always', '--', 'dns1')
  assert.match(stdout, /\x1b\[31m-one.*\n.*\x1b\[32m\+.*two/)
  assert.doesNotMatch(stdout, /web1/)
  await world.run('diff', 'prod', 'HEAD', '--quiet').exits(1)
  await track('web1')
  await world.run('diff', 'prod', 'HEAD', '--exit-code')
})

test('status', async t => {
  const { world } = await makeFleet(t)
  await world
    .run('status')
    .stdout(/^dns1 {2}deployed <oid> .* ago by Ada {2}up to date\nweb1 {2}never deployed +1 app to change\n$/)
  world.remove('dns1')
  await world.run('status', 'prod').stdout(/^dns1 .* no longer in 'prod'$/m)
})

test('init sets the cluster, creates its directory, and overwrites nothing', async t => {
  const world = await makeWorld(t, {}, { commit: false })
  await world
    .run('init')
    .stdout(
      /^created 'prod\/'\nin this repository, 'git deploy' is now short for 'git deploy prod'\n[\s\S]*mkdir -p prod\/web1\/hello/,
    )
  world.write({ 'web1/hello/greeting.txt': 'Hello.\n' })
  await world
    .run('init')
    .stdout(/^in this repository, 'git deploy' is now short for 'git deploy prod'\n\nsee what/)
  await world.run('plan').stdout(`prod from the working tree (main, no commit yet, with uncommitted changes)

web1 (new host)
    add hello
        + greeting.txt
`)
  writeFileSync(join(world.repo, 'staging'), 'a file\n')
  await world
    .run('init', 'staging')
    .exits(1)
    .stderr("fatal: cannot create 'staging': a file with this name exists\n")
  assert.equal(await world.git('config', 'deptool.cluster'), 'prod')
})

test('what init says to type can be typed, whatever the name', async t => {
  const world = await makeWorld(t, {}, { commit: false })
  for (const [name, means] of [
    ['plan', './plan'],
    ["ada's lab", "'ada'\\''s lab'"],
  ] as const) {
    const { stdout } = await world.run('init', name).stdout(anything)
    assert.ok(
      stdout.includes(`\nin this repository, 'git deploy' is now short for 'git deploy ${means}'\n`),
      stdout,
    )
    const steps = stdout.split('\n').filter(line => /^ {4}(mkdir|echo)/.test(line))
    const typed = await world.execute(['sh', '-ec', [...steps, `git deploy -n ${means}`].join('\n')])
    assert.match(typed.stdout, /web1 \(new host\)\n {4}add hello\n {8}\+ greeting\.txt\n/)
  }
})

test('colour follows git config, and the option outranks it', async t => {
  const { world } = await makeFleet(t)
  const coloured = /\x1b\[1mweb1/
  const plain = /^web1/m
  await world.run('plan', 'prod').stdout(plain)
  await world.run('plan', 'prod', '--color=always').stdout(coloured)
  await world.git('config', 'color.ui', 'always')
  await world.run('plan', 'prod').stdout(coloured)
  await world.run('plan', 'prod', '--no-color').stdout(plain)
  await world.git('config', 'color.deptool', 'never')
  await world.run('plan', 'prod').stdout(plain)
  await world.git('config', '--unset-all', 'color.ui')
  await world.git('config', '--unset-all', 'color.deptool')
  await world.runInTerminal(['plan', 'prod']).stdout(coloured)
})

test('the diff of the question is paged by git, and the question comes again', async t => {
  const { world } = await makeFleet(t)
  await world.git('config', 'deptool.preconnect', 'false')
  await world.git('config', 'core.pager', 'sed s/^/paged:/')
  const question = "Deploy to 1 host in 'prod'? A host that fails rolls back by itself. [y/N/d] "
  await world
    .runInTerminal(
      ['prod'],
      [
        [question, 'd\n'],
        [question, 'n\n'],
      ],
    )
    .exits(3)
    .stdout(/paged:.*hello[\s\S]*not deployed\n$/)
  // Git ends with 130 whatever we say, and hands Ctrl-C on to us, who have it from the terminal already.
  await world
    .runInTerminal(['prod'], [[question, '\x03']])
    .exits(130)
    .stdout(/\nnot deployed\n$/)
})

test('without a terminal nobody is asked', async t => {
  const { world } = await makeFleet(t)
  await world.git('config', 'deptool.preconnect', 'false')
  await world
    .run('prod')
    .exits(1)
    .stdout(/web1/)
    .stderr(/^fatal: cannot ask for confirmation: not a terminal\nhint: use --yes /)
})

test('connections made ahead are given up where the plan comes to nothing', async t => {
  const { world } = await makeFleet(t)
  const host = await makeSilentHost(t)
  await world.git('config', 'deptool-host.web1.url', host.url)
  world.write({ 'web1/www/manifest.json': '{' })
  // Nobody would wait for the end of the test.
  appendFileSync(join(world.home, '.ssh/config'), '\nHost *\n  ConnectTimeout 3600\n')
  await world
    .run('prod', '--yes')
    .exits(1)
    .stderr(
      /^error: prod\/web1\/www\/manifest.json:1:2[\s\S]*\nfatal: cannot plan 'prod': 1 problem in the config tree\n$/,
    )
})

test('who only looks calls nobody', async t => {
  const { world } = await makeFleet(t)
  const host = await makeSilentHost(t)
  await world.git('config', 'deptool-host.web1.url', host.url)
  await world.run('prod', '--dry-run').stdout(/web1/)
  await world.run('plan', 'prod').stdout(/web1/)
  await world
    .run('prod')
    .exits(1)
    .stdout(/web1/)
    .stderr(/not a terminal/)
  assert.equal(host.calls(), 0)
})

/** It takes calls and says nothing. */
async function makeSilentHost(t: TestContext) {
  let calls = 0
  const server = createServer(socket => {
    calls += 1
    t.after(() => socket.destroy())
  }).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  return { url: `ssh://127.0.0.1:${(server.address() as AddressInfo).port}`, calls: () => calls }
}

test('a reader that goes away ends the output quietly', async t => {
  const { world } = await makeFleet(t)
  // The list of their names is longer than what a pipe takes.
  const name = 'x'.repeat(200)
  world.write(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`web1/www/${name}${i}`, `${i}`])))
  const { stdout, stderr } = await world.execute(['sh', '-c', 'git deploy plan -v prod | head -n 1'])
  assert.match(stdout, /^prod from the working tree \(main [0-9a-f]{7}, with uncommitted changes\)\n$/)
  assert.equal(stderr, '')
})

test('output that cannot be written is told, and stops no deployment', async t => {
  const { world } = await makeFleet(t)
  const full = (line: string) => world.execute(['sh', '-c', `git deploy ${line} >/dev/full`])
  for (const line of ['plan', 'status --json']) {
    const { code, stderr } = await full(line)
    assert.equal(stderr, 'error: cannot write all output: no space left on device\n')
    assert.equal(code, 1)
  }
  world.write({ 'web1/www/index.html': 'hello again\n' })
  const { code, stderr } = await full('--yes --json')
  assert.match(stderr, /error: cannot write all output: no space left on device\n$/)
  assert.equal(code, 0)
  assert.equal(world.host('web1').read('/var/lib/deptool/apps/www/current/index.html'), 'hello again\n')
})

test('in a directory that is gone', async t => {
  const { world } = await makeFleet(t)
  const { code, stderr } = await world.execute([
    'sh',
    '-c',
    'mkdir gone && cd gone && rmdir ../gone && git-deploy plan',
  ])
  assert.equal(stderr, 'fatal: cannot read the current directory: no such file or directory\n')
  assert.equal(code, 1)
})

test('usage: -h on stdout, errors on stderr with 129', async t => {
  const { world } = await makeFleet(t)
  await world.run('plan', '-h').stdout(/^usage: git deploy plan/)
  const direct = await world.execute(['git-deploy', '--help'])
  assert.match(direct.stdout, /^usage: git deploy \[<options>\]/)
  await world
    .run('plan', '--exit-kode')
    .exits(129)
    .stderr(`error: unknown option '--exit-kode'
hint: did you mean '--exit-code'?
usage: git deploy plan [<options>] [<cluster>] [<rev>]
`)
  await world.run('--version').stdout(/^git-deploy version \d+\.\d+\.\d+/)
})

test('what the operator typed, or named a branch, is shown as what it is', async t => {
  const world = await makeWorld(t, { 'web1/a/x': '1' })
  await world
    .run('plan', 'pr\x1b[31mod')
    .exits(1)
    .stdout('')
    .stderr(/^fatal: [^\x1b]*'pr\\033\[31mod'[^\x1b]*$/)
  await world.git('switch', '--quiet', '--create', 'fix\u202eniam')
  await world.run('plan', 'prod').stdout(/^prod from the working tree \(fix\\342\\200\\256niam /)
  world.write({ 'web1/a/manifest.json': '{"symlinks": {"/etc/a\\nb": "x"}}' })
  await world
    .run('check', 'prod')
    .exits(1)
    .stdout(/'\/etc\/a\\nb' contains a control character/)
})
