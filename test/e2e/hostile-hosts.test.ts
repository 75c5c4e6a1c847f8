/** A host in the wrong hands: whatever it says it runs, it gets nothing that is not its own. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type HostileHosts, makeHostile } from '../support/hostile-hosts.ts'
import type { LocalHost } from '../support/local-host.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld, type World } from '../support/world.ts'

const TREE = { 'web1/a/x': 'one\n', 'web2/a/secret': 'of web2\n' }

interface Stage {
  readonly ada: World<LocalHost>
  readonly hosts: HostileHosts
  /** The commit that was deployed from, which web1 knows from the trailer of its own. */
  readonly source: string
}

async function deployed(t: TestContext): Promise<Stage> {
  const ada = await makeWorld(t, TREE)
  const hosts = makeHostile(ada)
  await ada.deploy()
  return { ada, hosts, source: await ada.git('rev-parse', 'HEAD') }
}

/** All that web1 may ever be sent: what its own directory and its own history hold. */
async function assertOnlyItsOwn({ ada, hosts }: Stage): Promise<void> {
  const others = await ada.git('rev-list', '--objects', '--all', '--reflog', '--no-object-names')
  const own = await ada.git('rev-list', '--objects', '--no-object-names', 'refs/deptool/web1')
  const foreign = new Set(others.split('\n'))
  for (const oid of own.split('\n')) foreign.delete(oid)
  const got = [...hosts.sentTo('web1')].filter(oid => foreign.has(oid))
  assert.deepEqual(got, [], 'objects of others')
}

const SUBJECT = 'web1: update a'
const TRAILERS = 'Deptool-Cluster: prod\nDeptool-Deployment: 20261130T120000-0123456789'

/** It says that it runs this commit, and sends nothing of it. */
const CLAIMS = (commit: string) => `
  if (reply.type === 'hello') return [host === 'web1' ? { ...reply, current: '${commit}' } : reply]
  if (reply.type === 'fetched' && host === 'web1') return [{ ...reply, current: '${commit}' }]
  if (reply.type === 'staged' && host === 'web1')
    return [{ type: 'refused', refusal: { kind: 'stale', current: '${commit}' } }]
  return [reply]`

/** It says that it runs a commit that it has made itself. */
const FORGES = (tree: string, parent: string) => `
  const by = 'A <a@b> 1 +0000'
  const forged = object('commit', 'tree ${tree}\\nparent ${parent}\\nauthor ' + by + '\\ncommitter ' + by + '\\n\\nweb1: update a\\n')
  if (host !== 'web1') return [reply]
  if (reply.type === 'hello') return [{ ...reply, current: forged.oid }]
  if (reply.type === 'fetched') return [{ type: 'objects', objects: [forged] }, { ...reply, current: forged.oid }]
  return [reply]`

const REFUSED = `web1  cannot accept the host's history: it names object <oid>, which the host did not send and which was never deployed to it
web2  unchanged <oid>
`
const ADVICE = 'hint: before you deploy to the host again, find out who has changed its agent or its store\n'

test('a host that says it runs the commit that was deployed from is refused, and gets nothing of it', async t => {
  const stage = await deployed(t)
  const { ada, hosts, source } = stage
  hosts.say(CLAIMS(source))
  const before = await ada.git('rev-parse', 'refs/deptool/web1')
  await ada
    .run('sync', 'prod')
    .exits(1)
    .stdout(REFUSED)
    .stderr(new RegExp(`^${ADVICE}`))
  ada.write({ 'web1/a/x': 'two\n' })
  await ada.run('prod', '--yes').exits(1).stdout(anything).stderr(/web1/)
  await ada.run('prod', '--repair', '--yes').exits(1).stdout(anything).stderr(/web1/)
  await ada
    .run('rollback', 'web1', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(/it has no earlier deployment/)
  assert.equal(await ada.git('rev-parse', 'refs/deptool/web1'), before)
  await assertOnlyItsOwn(stage)
})

test('a commit that a host forges, with the commit that was deployed from as its parent, is refused', async t => {
  const stage = await deployed(t)
  const { ada, hosts, source } = stage
  const tree = await ada.git('rev-parse', 'refs/deptool/web1^{tree}')
  hosts.say(FORGES(tree, source))
  const before = await ada.git('rev-parse', 'refs/deptool/web1')
  await ada
    .run('sync', 'prod')
    .exits(1)
    .stdout(REFUSED)
    .stderr(new RegExp(`^${ADVICE}`))
  assert.equal(await ada.git('rev-parse', 'refs/deptool/web1'), before)
  await ada
    .run('rollback', 'web1', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(/it has no earlier deployment/)
  await assertOnlyItsOwn(stage)
})

test("a commit that a host forges over another host's tree is refused", async t => {
  const stage = await deployed(t)
  const { ada, hosts } = stage
  const parent = await ada.git('rev-parse', 'refs/deptool/web1')
  hosts.say(FORGES(await ada.git('rev-parse', 'refs/deptool/web2^{tree}'), parent))
  await ada
    .run('sync', 'prod')
    .exits(1)
    .stdout(REFUSED)
    .stderr(new RegExp(`^${ADVICE}`))
  assert.equal(await ada.git('rev-parse', 'refs/deptool/web1'), parent)
})

test('a tracking ref that names no deployment is neither repaired to nor rolled back to', async t => {
  const stage = await deployed(t)
  const { ada, source } = stage
  ada.write({ 'web1/a/x': 'two\n' })
  await ada.deploy()
  const sent = stage.hosts.sentTo('web1')
  const tree = await ada.git('rev-parse', 'refs/deptool/web1^{tree}')
  // As an older version would have taken it from the host.
  const poisoned = await ada.git('commit-tree', tree, '-p', source, '-m', SUBJECT, '-m', TRAILERS)
  await ada.git('update-ref', 'refs/deptool/web1', poisoned)
  stage.hosts.say(CLAIMS(poisoned))
  await ada
    .run('rollback', 'web1', '--yes')
    .exits(1)
    .stdout('')
    .stderr(`fatal: cannot roll back 'web1': <oid>, the commit to go back to, does not record a deployment
hint: run 'git deploy forget web1', then 'git deploy sync'
`)
  await ada.git('update-ref', 'refs/deptool/web1', source)
  stage.hosts.say(CLAIMS(source))
  await ada
    .run('prod', '--repair', '--yes')
    .exits(1)
    .stdout('')
    .stderr(`fatal: cannot repair 'web1': refs/deptool/web1 does not name a deployment
hint: run 'git deploy forget web1', then 'git deploy sync'
`)
  assert.deepEqual(stage.hosts.sentTo('web1'), sent, 'nothing more')
})

test('what is its own is taken: versions that came, went, and came back, after a forget too', async t => {
  const { ada, hosts } = await deployed(t)
  const bob = await ada.colleague('Bob')
  const first = await ada.git('rev-parse', 'refs/deptool/web1')
  await bob.run('sync', 'prod').stdout(/web1 {2}new/)
  for (const x of ['two\n', 'one\n', 'three\n']) {
    ada.write({ 'web1/a/x': x })
    await ada.deploy()
  }
  await bob.run('sync', 'prod').stdout(/web1 {2}moved .*, 3 deployments/)
  // The host was restored from a backup: what it runs is in the history of its ref, and not sent again by this one.
  hosts.say(CLAIMS(first))
  await ada.run('sync', 'prod').stdout(/web1 {2}.*<oid>/)
  assert.equal(await ada.git('rev-parse', 'refs/deptool/web1'), first)
  hosts.say('return [reply]')
  await ada.run('sync', 'prod').stdout(/web1 {2}moved/)
  await ada.run('forget', 'web1').stdout(anything)
  await ada.run('sync', 'prod').stdout(/web1 {2}new .*, 4 deployments/)
})

/** A commit of its own over what it runs, whose text the host has chosen. */
const WRITES = (tree: string, parent: string, date: string, trailers: string) => `
  const by = 'A <a@b> ${date}'
  const own = object('commit', 'tree ${tree}\\nparent ${parent}\\nauthor ' + by + '\\ncommitter ' + by + '\\n\\nweb1: update a\\n\\n' + ${JSON.stringify(trailers)} + '\\n')
  if (host !== 'web1') return [reply]
  if (reply.type === 'hello') return [{ ...reply, current: own.oid }]
  if (reply.type === 'fetched') return [{ type: 'objects', objects: [own] }, { ...reply, current: own.oid }]
  return [reply]`

const NONSENSE: Readonly<Record<string, readonly [date: string, trailers: string]>> = {
  'a date that no calendar has': ['99999999999999 +0000', TRAILERS],
  'a time zone that there is none of': ['1 +9999', TRAILERS],
  'no trailers': ['1 +0000', ''],
  'trailers that are no names': [
    '1 +0000',
    'Deptool-Cluster: ../..\nDeptool-Source: \x1b[2J\nDeptool-Deployment: \x1b]0;x\x07',
  ],
  'trailers of several lines': [
    '1 +0000',
    'Deptool-Cluster: prod\nDeptool-Source: abc\n Deptool-Cluster: other\n more\nDeptool-Deployment: a\n b\nDeptool-Deployment: c',
  ],
}

/** What is printed, whatever that is: no bug of ours, and nothing that drives a terminal. */
async function print(ada: World<LocalHost>, ...lines: string[]): Promise<void> {
  for (const line of lines) {
    const { stdout, stderr } = await ada.execute(['git', 'deploy', ...line.split(' ')])
    assert.doesNotMatch(stdout + stderr, /internal error|[\x00-\x08\x0b-\x1f]/, line)
  }
}

for (const [what, [date, trailers]] of Object.entries(NONSENSE))
  test(`a host whose commit says ${what} stops nobody`, async t => {
    const { ada, hosts } = await deployed(t)
    const tree = await ada.git('rev-parse', 'refs/deptool/web1^{tree}')
    const parent = await ada.git('rev-parse', 'refs/deptool/web1')
    hosts.say(WRITES(tree, parent, date, trailers))
    await ada.run('sync', '--json', 'prod').stdout(/"kind":"moved"/)
    await print(ada, 'status', 'status --json', 'status --porcelain', 'plan prod', 'rollback web1 -n')
    await ada.git('update-ref', 'refs/deptool/web1', parent)
    await ada.run('sync', 'prod').stdout(/^web1 {2}(moved|went back)/)
    ada.write({ 'web1/a/x': 'two\n' })
    await print(ada, 'prod --yes', 'log')
  })

test('a host whose log has a moment that no calendar has stops nobody', async t => {
  const { ada, hosts } = await deployed(t)
  // East of Greenwich the last moment that a Date can hold is over.
  ada.env['TZ'] = 'Europe/Berlin'
  hosts.say(`
    return [reply.type === 'fetched' ? { ...reply, log: reply.log.map(one => ({ ...one, id: '20261130T120000-0123456789', at: 8.64e15 })) } : reply]`)
  await ada
    .run('sync', 'prod')
    .exits(1)
    .stdout(/cannot understand the agent: reply\(fetched\)\.log\[0\]\.at/)
    .stderr(anything)
  await print(ada, 'log', 'log --json')
})
