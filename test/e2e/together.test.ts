/** Several operators, each with a clone, and the same hosts: who learns what of whom. */
import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import { LocalHost } from '../support/local-host.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld, type World } from '../support/world.ts'

const TREE = { 'web1/a/x': 'one\n', 'web2/a/x': 'one\n' }

async function twoClones(t: TestContext): Promise<{ ada: World<LocalHost>; bob: World<LocalHost> }> {
  const ada = await makeWorld(t, TREE)
  return { ada, bob: await ada.colleague('Bob') }
}

/** What the operator's own git says of the repository and of every host's store. */
async function assertSound(world: World<LocalHost>): Promise<void> {
  assert.equal(await world.git('fsck', '--strict', '--no-dangling'), '')
  for (const { directory } of world.hosts) {
    const store = join(directory, 'var/lib/deptool/store')
    assert.equal(await world.git('-C', store, 'fsck', '--strict', '--no-dangling'), '')
  }
}

test('a deployment that starts from an old state stops, tells what was missed, and works when repeated', async t => {
  const { ada, bob } = await twoClones(t)
  await ada.deploy()
  await bob
    .run('sync', 'prod')
    .stdout('web1  new <oid>, 1 deployment by Ada\nweb2  new <oid>, 1 deployment by Ada\n')
  bob.write({ 'web1/a/x': 'of Bob\n', 'web2/a/y': 'of Bob\n' })
  await bob.deploy()
  bob.write({ 'web1/a/x': 'of Bob again\n' })
  await bob.deploy()

  ada.write({ 'web1/a/x': 'of Ada\n' })
  const before = await ada.git('rev-parse', 'refs/deptool/web2')
  await ada
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(
      `  <time>  web1  refused: the host runs <oid>, but the plan does not start from this commit

web1  moved <oid>..<oid>, 2 deployments, the last by Bob

deployment <id>
Author: Bob <bob@example.com>
Date:   <date>

    web1: update a

deployment <id>
Author: Bob <bob@example.com>
Date:   <date>

    web1: update a

fatal: cannot deploy 'prod': web1 has changed since this repository last heard of it; no host was changed
hint: run the same command again: the new plan starts from what the hosts run now
`,
    )
  assert.equal(ada.host('web1').read('/var/lib/deptool/apps/a/current/x'), 'of Bob again\n')
  assert.equal(
    await ada.git('rev-parse', 'refs/deptool/web1'),
    await bob.git('rev-parse', 'refs/deptool/web1'),
  )
  assert.equal(
    await ada.git('rev-parse', 'refs/deptool/web2'),
    before,
    'only the host that was refused is asked',
  )
  assert.match(await ada.git('reflog', '-1', 'refs/deptool/web1'), /: sync$/)

  await ada
    .run('prod', '--yes')
    .stdout(/web1\n {4}update a\n {8}~ x\n {0,8}\ndeployed to 1 host in 'prod'/)
    .stderr(anything)
  assert.equal(ada.host('web1').read('/var/lib/deptool/apps/a/current/x'), 'of Ada\n')
  assert.equal(await ada.git('rev-list', '--merges', '--count', 'refs/deptool/web1'), '0')
  await assertSound(ada)
})

test('a fresh clone and sync know everything that the first clone knows', async t => {
  const { ada, bob } = await twoClones(t)
  await ada.deploy()
  for (let i = 0; i < 20; i++) {
    ada.write({ 'web1/a/x': `${i}\n`, [`web1/a/d${i % 3}/f${i}`]: `${i}\n` })
    await ada.deploy()
  }
  await bob
    .run('sync', 'prod')
    .stdout('web1  new <oid>, 21 deployments, the last by Ada\nweb2  new <oid>, 1 deployment by Ada\n')
  for (const host of ['web1', 'web2'])
    assert.equal(await bob.git('log', `refs/deptool/${host}`), await ada.git('log', `refs/deptool/${host}`))
  const hosts = await ada.git('log', '--no-merges', '--format=%H', 'refs/deptool')
  const known = new Set((await bob.git('log', '--format=%H', 'refs/deptool')).split('\n'))
  const commits = await ada.git('log', '--format=%H', 'refs/deptool/web1', 'refs/deptool/web2')
  for (const commit of commits.split('\n')) assert.ok(known.has(commit) && hosts.includes(commit))
  assert.equal(
    await bob.git('log', '--first-parent', '--format=%s', 'refs/deptool'),
    'prod: sync web1, web2\nbegin the history of the fleet',
  )
  assert.equal(await bob.git('diff', 'refs/deptool', 'HEAD:prod', '--stat', '--', 'web2'), '')
  await bob.run('plan', 'prod').stdout(/web1\n {4}update a/)
  await assertSound(bob)
  assert.deepEqual(
    readdirSync(join(bob.repo, '.git/deptool')).filter(name => name.startsWith('incoming')),
    [],
  )
  // Nothing is new, so no ref moves.
  const fleet = await bob.git('rev-parse', 'refs/deptool')
  await bob.run('sync', '--changed')
  await bob.run('sync').stdout('web1  unchanged <oid>\nweb2  unchanged <oid>\n')
  assert.equal(await bob.git('rev-parse', 'refs/deptool'), fleet)
})

test('an operator who was killed before the refs moved finds them moved by the next run', async t => {
  const { ada } = await twoClones(t)
  await ada.deploy()
  const [before, fleet] = [
    await ada.git('rev-parse', 'refs/deptool/web1'),
    await ada.git('rev-parse', 'refs/deptool'),
  ]
  ada.write({ 'web1/a/x': 'two\n' })
  await ada.deploy()
  const after = await ada.git('rev-parse', 'refs/deptool/web1')
  await ada.git('update-ref', 'refs/deptool/web1', before)
  await ada.git('update-ref', 'refs/refs/deptool', fleet)
  await ada
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(
      /web1 {2}moved <oid>\.\.<oid>, 1 deployment by Ada\n\ndeployment <id>\nAuthor: Ada <ada@example.com>/,
    )
  assert.equal(await ada.git('rev-parse', 'refs/deptool/web1'), after)
  await ada.run('prod', '--yes').stdout('prod is up to date (2 hosts)\n')
  assert.equal(await ada.git('rev-parse', 'refs/deptool^2'), after)
})

test('a host moves to another cluster with its directory, and with it what is known of it', async t => {
  const { ada, bob } = await twoClones(t)
  await ada.deploy()
  mkdirSync(join(ada.repo, 'staging'))
  await ada.git('mv', 'prod/web2', 'staging/web2')
  ada.write({ '../staging/web2/a/x': 'two\n' })
  await ada.commit()
  const moved = `
web2
    update a
        ~ x
`
  await ada.run('plan', 'staging').stdout(`staging from the working tree (main <oid>)\n${moved}`)
  await ada
    .run('staging', 'HEAD', '--yes')
    .stdout(/deployed to 1 host in 'staging'/)
    .stderr(anything)
  await ada.run('prod', '--prune', '--yes').stdout('prod is up to date (1 host)\n')
  await ada.run('status', 'staging').stdout(/^web2 {2}deployed <oid> .* by Ada {2}up to date\n$/)

  await bob.git('pull', '--quiet')
  await bob.run('sync', 'staging').stdout('web2  new <oid>, 2 deployments, the last by Ada\n')
})

test('a cluster that is only called otherwise keeps its hosts', async t => {
  const { ada } = await twoClones(t)
  await ada.deploy()
  await ada.git('mv', 'prod', 'live')
  await ada.commit()
  await ada.run('plan', 'live').stdout('live is up to date (2 hosts)\n')
  await ada.run('verify', 'live').stdout('web1  ok\nweb2  ok\n')
  await ada.run('sync', 'live').stdout(/^web1 {2}unchanged <oid>\nweb2 /)
})

test('a host that lost its apps in one cluster is free for another', async t => {
  const { ada } = await twoClones(t)
  await ada.deploy()
  ada.remove('web2')
  await ada.deploy('--prune')
  ada.write({ '../staging/web2/a/x': 'two\n' })
  await ada
    .run('staging', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(/run the same command again/)
  await ada.run('sync', 'staging').stdout('web2  unchanged <oid>\n')
  await ada
    .run('staging', '--yes')
    .stdout(/^web2\n {4}add a\n/m)
    .stderr(anything)
})

test('a deployment that never began is known as such after a sync, also in the second of the first one', async t => {
  const { ada } = await twoClones(t)
  await ada.deploy()
  const log = join(ada.repo, '.git/deptool/log/web1')
  const begun = { ...JSON.parse(readFileSync(log, 'utf8').trimEnd().split('\n').at(-1)!), outcome: 'unknown' }
  const id = begun.id.replace(/-.*/, '-0000000000')
  appendFileSync(log, `${JSON.stringify({ ...begun, id })}\n`)
  await ada.run('sync', 'prod').stdout(anything)
  await ada.run('log', 'web1').stdout(/nothing changed, add a: it never started on the host/)
})

test('a host that was set up anew is said loudly, and planned as new', async t => {
  const { ada } = await twoClones(t)
  await ada.deploy()
  rmSync(join(ada.host('web1').directory, 'var/lib/deptool'), { recursive: true })
  await ada
    .run('sync', '--changed')
    .stdout('web1  REINSTALLED: the host reports no deployment; the next plan treats it as new (was <oid>)\n')
  await ada.run('plan').stdout(/^web1 \(new host\)$/m)
  assert.equal(await ada.git('ls-tree', '--name-only', 'refs/deptool'), 'web2')
  await ada.deploy()
  assert.equal(ada.host('web1').read('/var/lib/deptool/apps/a/current/x'), 'one\n')

  // The same where a deployment finds it out.
  rmSync(join(ada.host('web1').directory, 'var/lib/deptool'), { recursive: true })
  ada.write({ 'web1/a/x': 'two\n', 'web2/a/x': 'two\n' })
  await ada
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(
      /web1 {2}REINSTALLED(.|\n)*fatal: cannot deploy 'prod': web1 has changed since this repository last heard of it; no host was changed\n/,
    )
  assert.equal(ada.host('web2').read('/var/lib/deptool/apps/a/current/x'), 'one\n')
  await ada.deploy()
  assert.equal(ada.host('web1').read('/var/lib/deptool/apps/a/current/x'), 'two\n')
})

test('a host that went back in time is believed, and said so', async t => {
  const { ada, bob } = await twoClones(t)
  await ada.deploy()
  await bob.run('sync', 'prod').stdout(anything)
  // Set up anew and deployed to by somebody else: another history.
  rmSync(join(ada.host('web1').directory, 'var/lib/deptool'), { recursive: true })
  await bob.run('sync', 'prod').stdout(anything)
  await bob.deploy()
  await ada
    .run('sync', '--changed')
    .stdout(
      "web1  rewound <oid>...<oid>: the commit that this repository had recorded is not in the host's history\n",
    )
  assert.equal(
    await ada.git('rev-parse', 'refs/deptool/web1'),
    await bob.git('rev-parse', 'refs/deptool/web1'),
  )
  await assertSound(ada)
})

test('hosts that cannot be asked are named, and the others are synced', async t => {
  const { ada, bob } = await twoClones(t)
  await ada.deploy()
  rmSync(ada.host('web1').directory, { recursive: true })
  await bob
    .run('sync', 'prod')
    .exits(1)
    .stdout("web1  cannot find the directory '<dir>/hosts/web1'\nweb2  new <oid>, 1 deployment by Ada\n")
    .stderr(
      "hint: run 'mkdir -p <dir>/hosts/web1'\nfatal: cannot sync web1: what this repository knows about it may be out of date\n",
    )
  assert.equal(await bob.git('for-each-ref', '--format=%(refname)', 'refs/deptool/'), 'refs/deptool/web2')
})

test('what a host sends is not believed where it is not what its names say', async t => {
  const { ada, bob } = await twoClones(t)
  await ada.deploy()
  const { directory } = ada.host('web1')
  const store = join(directory, 'var/lib/deptool/store')
  const blob = await ada.git('rev-parse', 'refs/deptool/web1:a/x')
  const path = (oid: string) => join(store, 'objects', oid.slice(0, 2), oid.slice(2))
  const commit = await ada.git('rev-parse', 'refs/deptool/web1')
  chmodSync(path(blob), 0o600)
  copyFileSync(path(commit), path(blob))
  await bob
    .run('sync', 'prod', '--changed')
    .exits(1)
    .stdout(/^web1 {2}cannot accept the host's history: object <oid> does not match its name\nweb2 {2}new/)
    .stderr(/^fatal: cannot sync web1/)
  rmSync(path(blob))
  await bob
    .run('sync', 'prod', '--changed')
    .exits(1)
    .stdout(/^web1 {2}cannot read the host's history: object <oid> is missing\n$/)
    .stderr(
      `hint: the running version is not affected; to get the history from a clone that has it, run 'git fetch <clone> refs/deptool/web1:refs/deptool/web1'
fatal: cannot sync web1: what this repository knows about it may be out of date
`,
    )
  assert.equal(existsSync(join(bob.repo, '.git/refs/deptool/web1')), false)
  assert.equal(await bob.git('fsck', '--strict', '--no-dangling'), '')
})

test('a host that has lost old objects is repaired and deployed to, and a fresh clone gets its history from another', async t => {
  const { ada, bob } = await twoClones(t)
  await ada.deploy()
  const old = await ada.git('rev-parse', 'refs/deptool/web1:a/x')
  ada.write({ 'web1/a/x': 'two\n' })
  await ada.deploy()
  rmSync(join(ada.host('web1').directory, 'var/lib/deptool/store/objects', old.slice(0, 2), old.slice(2)))
  ada.write({ 'web1/a/x': 'three\n' })
  await ada.deploy()
  const { stderr } = await bob
    .run('sync', 'prod', '--limit=web1')
    .exits(1)
    .stdout(/cannot read the host's history/)
    .stderr(/git fetch/)
  const typed = /run '(git fetch [^']*)'/.exec(stderr)![1]!.replace('<clone>', ada.repo)
  assert.equal((await bob.execute(['sh', '-c', typed])).code, 0)
  await bob.run('sync', 'prod', '--limit=web1').stdout('web1  unchanged <oid>\n')
  bob.write({ 'web1/a/x': 'four\n' })
  await bob.deploy('--limit=web1')
  assert.equal(ada.host('web1').read('/var/lib/deptool/apps/a/current/x'), 'four\n')
})

test('a history that git would not write is not let in', async t => {
  const { ada, bob } = await twoClones(t)
  await ada.deploy()
  ada.write({ 'web1/a/x': 'two\n' })
  await ada.deploy()
  await bob.run('sync', 'prod').stdout(anything)
  const store = join(ada.host('web1').directory, 'var/lib/deptool/store')
  const current = await ada.git('rev-parse', 'refs/deptool/web1')
  const become = async (script: string) => {
    const { stdout, stderr } = await ada.execute(['sh', '-c', `cd '${store}' && ${script}`])
    assert.match(stdout, /^[0-9a-f]{40}\n$/, stderr)
    await ada.git('-C', store, 'update-ref', 'refs/deptool/current', stdout.trim())
  }
  await become(
    `git commit-tree -m evil -p ${current} $(printf '040000 tree %s\\t.git\\n' $(git rev-parse ${current}:a) | git mktree)`,
  )
  const refused = (why: RegExp) =>
    bob
      .run('sync', '--changed')
      .exits(1)
      .stdout(new RegExp(`^web1 {2}cannot accept the host's history: .*${why.source}.*\\n$`))
      .stderr(/fatal: cannot sync web1/)
  await refused(/cannot run 'git unpack-objects': object <oid>: hasDotgit/)
  await become(`git commit-tree -m evil -p ${current} -p ${current}~1 ${current}^{tree}`)
  await refused(/does not follow the one before it/)
  await become(
    `git commit-tree -m evil -p ${current} -p $(git commit-tree -m x $(git mktree </dev/null)) ${current}^{tree}`,
  )
  await refused(/it names object <oid>, which the host did not send/)
  assert.equal(await bob.git('rev-parse', 'refs/deptool/web1'), current)
  assert.equal(await bob.git('fsck', '--strict', '--no-dangling'), '')
})

test('SHA-256 repositories learn from each other too, and not from others', async t => {
  const ada = await makeWorld(t, TREE, { init: ['--object-format=sha256'] })
  const bob = await ada.colleague('Bob')
  await ada.deploy()
  await bob.run('sync', 'prod').stdout(/^web1 {2}new <oid>, 1 deployment by Ada\nweb2 {2}new/)
  assert.equal(await bob.git('log', 'refs/deptool/web1'), await ada.git('log', 'refs/deptool/web1'))
  await assertSound(bob)
  const carol = await ada.colleague('Carol')
  rmSync(join(carol.repo, '.git'), { recursive: true })
  await carol.git('init', '--quiet')
  await carol
    .run('sync', 'prod')
    .exits(1)
    .stdout(
      /^web1 {2}cannot accept the host's history: its object format is not that of this repository, sha1\n/,
    )
    .stderr(/hint: use a clone of the repository that deployed to the host\nfatal: cannot sync web1, web2/)
  carol.write({ 'web1/a/x': 'of Carol\n' })
  await carol
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    // Running it again would lead nowhere.
    .stderr(
      /\nhint: use a clone of the repository that deployed to the host\nfatal: .*no host was changed\n$/,
    )
})

test('two clones race for one host: one wins each time, and the other is told who and what', async t => {
  const { ada, bob } = await twoClones(t)
  await ada.deploy()
  await bob.run('sync', 'prod').stdout(anything)
  const wins = { Ada: 0, Bob: 0 }
  const told = { busy: 0, missed: 0 }
  for (let round = 1; round <= 20; round++) {
    const racers = [ada, bob].map(world => {
      world.write({ 'web1/a/x': `${world.name} ${round}\n` })
      return { world, ran: world.execute(['git', 'deploy', 'prod', '--yes']) }
    })
    const ended = await Promise.all(racers.map(async ({ world, ran }) => ({ world, ...(await ran) })))
    const winners = ended.filter(({ code }) => code === 0)
    const losers = ended.filter(({ code }) => code === 1)
    const said = ended.map(({ world, code, stderr }) => `${world.name} ${code}: ${stderr}`).join('\n')
    assert.equal(`${winners.length} ${losers.length}`, '1 1', said)
    const [{ world: winner }] = winners as [(typeof ended)[0]]
    const [{ world: loser, stderr }] = losers as [(typeof ended)[0]]
    wins[winner.name as 'Ada' | 'Bob']++
    assert.equal(winner.host('web1').read('/var/lib/deptool/apps/a/current/x'), `${winner.name} ${round}\n`)
    told[stderr.includes('Author: ') ? 'missed' : 'busy']++
    const busy = `locked by ${winner.name} <`
    const missed = `Author: ${winner.name} <`
    assert.ok(stderr.includes(busy) || stderr.includes(missed), stderr)
    if (!stderr.includes(missed)) await loser.run('sync', '--changed').stdout(/by (Ada|Bob)\n/)
    assert.equal(
      await ada.git('rev-parse', 'refs/deptool/web1'),
      await bob.git('rev-parse', 'refs/deptool/web1'),
    )
  }
  t.diagnostic(JSON.stringify({ ...wins, ...told }))
  assert.equal(await ada.git('rev-list', '--count', 'refs/deptool/web1'), '21')
  assert.equal(await ada.git('rev-list', '--merges', '--count', 'refs/deptool/web1'), '0')
  await assertSound(ada)
  await assertSound(bob)
})

test('tracking refs are pushed and fetched like any others', async t => {
  const { ada, bob } = await twoClones(t)
  await ada.deploy()
  const shared = join(ada.home, 'shared.git')
  await ada.git('init', '--quiet', '--bare', shared)
  await ada.git('push', '--quiet', shared, 'refs/deptool/*:refs/deptool/*')
  assert.equal(await bob.git('fetch', '--quiet', shared, '+refs/deptool/*:refs/deptool/*'), '')
  await bob.run('plan', 'prod').stdout('prod is up to date (2 hosts)\n')
  bob.write({ 'web1/a/x': 'of Bob\n' })
  await bob.deploy()
  // The history of his fleet has what came from elsewhere.
  const commits = await bob.git('log', '--format=%s', 'refs/deptool')
  assert.deepEqual(commits.split('\n').sort(), [
    'begin the history of the fleet',
    'prod: deploy to web1',
    'web1: add a',
    'web1: update a',
    'web2: add a',
  ])
  await bob.git('push', '--quiet', shared, 'refs/deptool/*:refs/deptool/*')
  await ada.git('fetch', '--quiet', shared, '+refs/deptool/*:refs/deptool/*')
  await ada.run('plan', 'prod').stdout(/web1\n {4}update a/)
  assert.equal(await ada.git('-C', shared, 'fsck', '--strict'), '')
})

test('two deployments from one clone to different hosts at once are both recorded', async t => {
  const { ada } = await twoClones(t)
  ada.write({ '../staging/db1/b/x': 'one\n' })
  await ada.git('config', 'deptool-host.db1.url', `local:${ada.host('web1').directory}/../db1`)
  new LocalHost('db1', join(ada.host('web1').directory, '../db1'))
  for (let round = 0; round < 5; round++) {
    ada.write({ 'web1/a/x': `${round}\n`, '../staging/db1/b/x': `${round}\n` })
    await Promise.all(
      ['prod', 'staging'].map(cluster =>
        ada
          .run(cluster, '--yes')
          .stdout(/deployed to/)
          .stderr(anything),
      ),
    )
  }
  assert.equal(await ada.git('show', 'refs/deptool:web1/a/x'), '4')
  assert.equal(await ada.git('show', 'refs/deptool:db1/b/x'), '4')
  assert.equal(await ada.git('rev-list', '--first-parent', '--count', 'refs/deptool'), '11')
})

test('real hosts: another operator deploys in between, and one of the hosts is off', realHosts, async t => {
  const ada = await makeWorld(t, TREE, { hosts: 'real' })
  const bob = await ada.colleague('Bob')
  await ada.deploy()
  await bob.run('sync', 'prod').stdout(/^web1 {2}new <oid>, 1 deployment by Ada\nweb2 {2}new/)
  bob.write({ 'web1/a/x': 'of Bob\n' })
  await bob.deploy()
  ada.write({ 'web1/a/x': 'of Ada\n', 'web2/a/x': 'of Ada\n' })
  await ada
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(
      /web2 {2}nothing changed\n(.|\n)*Author: Bob <bob@example.com>(.|\n)*hint: run the same command again/,
    )
  assert.equal(ada.host('web2').read('/var/lib/deptool/apps/a/current/x'), 'one\n')
  await ada.deploy()
  assert.equal(ada.host('web1').read('/var/lib/deptool/apps/a/current/x'), 'of Ada\n')
  ;(await bob.relay('web2')).refuse()
  await bob
    .run('sync', '--changed')
    .exits(1)
    .stdout(
      /^web1 {2}moved <oid>\.\.<oid>, 1 deployment by Ada\nweb2 {2}cannot connect to .*: the host closed the connection\n$/,
    )
    .stderr('fatal: cannot sync web2: what this repository knows about it may be out of date\n')
})
