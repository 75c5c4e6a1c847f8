/** What a deployment leaves on its host, and what it does not: objects, backups, modes, owners. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Deploy, Reply } from '../../src/protocol/messages.ts'
import { Driver, deployTo, makeRoot, NOTHING, type Prepared, prepare } from '../support/agent-driver.ts'
import { asRoot } from '../support/as-root.ts'
import type { Tree } from '../support/tree-builder.ts'

const BASE = 'var/lib/deptool'
const APP = 4242
const TERA = 1024 ** 4

function manifest(content: object): string {
  return JSON.stringify(content)
}

function makeHost(t: TestContext): string {
  const host = makeRoot(t)
  chmodSync(host, 0o755)
  return host
}

async function deployed(host: string, version: Prepared): Promise<Prepared> {
  assert.equal(last(await deployTo(host, version)), 'held')
  return version
}

function last(said: readonly (Reply | 'end')[]): string {
  const reply = said.at(-1)!
  if (reply === 'end') return 'end'
  return reply.type === 'outcome' ? reply.outcome : reply.type
}

function problems(said: readonly (Reply | 'end')[]) {
  const reply = said.at(-1)!
  assert.ok(
    reply !== 'end' && reply.type === 'refused' && reply.refusal.kind === 'preflight',
    JSON.stringify(reply),
  )
  return reply.refusal.problems
}

/** Everything in the store but how the log has grown, and that git finds it whole. */
function storeOf(host: string): string[] {
  const store = join(host, BASE, 'store')
  execFileSync('git', ['--git-dir', store, 'fsck', '--strict'], { stdio: 'pipe' })
  return readdirSync(store, { recursive: true, encoding: 'utf8' }).sort()
}

async function ping(host: string): Promise<void> {
  const driver = new Driver(host).say({ type: 'ping' })
  await driver.next()
  await driver.next()
  await driver.end()
}

/** A deployment up to some moment. */
async function begun(host: string, { requests }: Prepared, until: 'staged' | 'settled'): Promise<Driver> {
  const driver = new Driver(host).say(...requests)
  await driver.next()
  await driver.next()
  if (until === 'settled') {
    driver.say({ type: 'activate' })
    await driver.next()
  }
  return driver
}

const ENDINGS: Readonly<Record<string, (host: string, update: Prepared) => Promise<void>>> = {
  'is refused': async (host, update) => {
    mkdirSync(join(host, 'etc/x'))
    assert.equal(last(await deployTo(host, update)), 'refused')
  },
  'is withdrawn once staged': async (host, update) => {
    const driver = await begun(host, update, 'staged')
    await driver.end()
  },
  'is undone': async (host, update) => {
    const driver = await begun(host, update, 'settled')
    driver.say({ type: 'undo', id: (update.requests[0] as Deploy).id, why: 'never mind' })
    await driver.end()
  },
  'is killed once staged': async (host, update) => {
    const driver = await begun(host, update, 'staged')
    driver.child.kill('SIGKILL')
    await driver.end()
    await ping(host)
  },
  'is killed once activated': async (host, update) => {
    const driver = await begun(host, update, 'settled')
    driver.child.kill('SIGKILL')
    await driver.end()
    await ping(host)
  },
}

const V1: Tree = { 'a/x': 'one\n' }
const V2: Tree = {
  'a/x': 'one\n',
  'a/key': 'secret\n',
  'a/manifest.json': manifest({ symlinks: { '/etc/x': 'x' } }),
}

for (const [how, end] of Object.entries(ENDINGS))
  test(`the objects of a deployment that ${how} are gone`, async t => {
    const host = makeHost(t)
    const first = await deployed(host, prepare(NOTHING, V1))
    const before = storeOf(host)
    await end(host, prepare(first, V2))
    assert.deepEqual(storeOf(host), before)
  })

test('objects that the host had stay when a deployment sends them again and is undone', async t => {
  const host = makeHost(t)
  const first = await deployed(host, prepare(NOTHING, V1))
  const before = storeOf(host)
  // 'one' comes again under another name: the sender need not know that the host has it.
  const again = prepare(NOTHING, { ...V1, 'a/y': 'two\n' })
  const update = prepare(first, { ...V1, 'a/y': 'two\n' })
  const [deploy, , stage] = update.requests
  const objects = [again, update].map(({ requests }) => requests[1]!)
  await ENDINGS['is undone']!(host, { ...update, requests: [deploy!, ...objects, stage!] })
  assert.deepEqual(storeOf(host), before)
  await deployed(host, prepare(first, { ...V1, 'a/y': 'two\n' }))
  assert.ok(storeOf(host).length > before.length)
})

test('the backups that go are the oldest by the record of the host, whatever clocks say', async t => {
  const host = makeHost(t)
  await deployed(host, prepare(NOTHING, V1))
  const backups = join(host, BASE, 'backup')
  const record = (id: string) =>
    appendLog(host, {
      id,
      from: null,
      to: 'a'.repeat(40),
      operator: 'A',
      outcome: 'held',
      why: '',
      at: 1,
      ms: 1,
    })
  // Held later, by an operator whose clock is behind: 10 first, 39 last.
  const ids = Array.from(
    { length: 30 },
    (_, i) => `202${9 - Math.floor(i / 10)}0101T0000${10 + i}-0000000000`,
  )
  for (const id of ids) {
    mkdirSync(join(backups, id, 'etc'), { recursive: true })
    record(id)
  }
  mkdirSync(join(backups, '20990101T000000-0000000000'))
  const first = await fetchCurrent(host)
  writeFileSync(join(host, 'etc/x'), 'foreign\n')
  const adopting = prepare(first, V2, { adopt: true })
  await deployed(host, adopting)
  const id = (adopting.requests[0] as Deploy).id
  assert.deepEqual(readdirSync(backups).sort(), [...ids.slice(-19), id].sort())
  assert.equal(readFileSync(join(backups, id, 'etc/x'), 'utf8'), 'foreign\n')
})

function appendLog(host: string, record: object): void {
  writeFileSync(join(host, BASE, 'log'), `${JSON.stringify(record)}\n`, { flag: 'a' })
}

async function fetchCurrent(host: string): Promise<Prepared> {
  const first = prepare(NOTHING, V1)
  assert.equal(readFileSync(join(host, BASE, 'store/refs/deptool/current'), 'utf8').trim(), first.commit)
  return first
}

test('a file that is for fewer now leaves no copy for all in the version before', asRoot, async t => {
  const host = makeHost(t)
  const first = await deployed(host, prepare(NOTHING, { 'a/key': 'secret\n', 'a/x': 'plain\n' }))
  const stricter = {
    'a/key': 'secret\n',
    'a/x': 'plain\n',
    'a/manifest.json': manifest({ files: { key: { mode: '0600' } } }),
  }
  const second = await deployed(host, prepare(first, stricter))
  const mode = (path: string) => (lstatSync(join(host, BASE, 'apps/a', path)).mode & 0o7777).toString(8)
  assert.deepEqual(['current/key', 'previous/key', 'current/x', 'previous/x'].map(mode), [
    '600',
    '600',
    '644',
    '644',
  ])
  const another = {
    ...stricter,
    'a/manifest.json': manifest({ files: { key: { mode: '0640', owner: `${APP}` } } }),
  }
  await deployed(host, prepare(second, another))
  assert.deepEqual(['current/key', 'previous/key'].map(mode), ['640', '600'])
})

test('below a directory that passes its group on, everything is of root all the same', asRoot, async t => {
  const host = makeHost(t)
  for (const path of ['var', 'var/lib', 'srv']) mkdirSync(join(host, path))
  for (const path of ['var/lib', 'srv']) {
    chownSync(join(host, path), 0, APP)
    chmodSync(join(host, path), 0o2755)
  }
  const links = manifest({ symlinks: { '/srv/www/x': 'x' }, files: { x: { mode: '0640' } } })
  await deployed(host, prepare(NOTHING, { 'a/x': 'plain\n', 'a/manifest.json': links }))
  const all = [
    ...readdirSync(join(host, BASE), { recursive: true, encoding: 'utf8' }).map(path => join(BASE, path)),
    BASE,
    'srv/www',
  ]
  assert.ok(all.length > 20)
  for (const path of all) {
    const { uid, gid, mode } = lstatSync(join(host, path))
    if (!lstatSync(join(host, path)).isSymbolicLink())
      assert.deepEqual([uid, gid, mode & 0o7000], [0, 0, 0], path)
  }
})

test(
  'a file of equal content is not adopted if that changes whose it is, or who reads it',
  asRoot,
  async t => {
    const host = makeHost(t)
    const at = join(host, 'etc/x')
    const tree = (files: object) => ({
      'a/x': 'key\n',
      'a/manifest.json': manifest({ symlinks: { '/etc/x': 'x' }, files }),
    })
    writeFileSync(at, 'key\n')
    chmodSync(at, 0o600)
    chownSync(at, APP, APP)
    assert.deepEqual(problems(await deployTo(host, prepare(NOTHING, tree({})))), [
      {
        what: "'/etc/x' has the same content as the target of the new link, but is 0600 4242:4242, not 0644 0:0",
        hint: 'to keep that, add "files": { "x": { "mode": "0600", "owner": "4242", "group": "4242" } } to the manifest; to replace it, use --adopt',
      },
    ])
    assert.equal(lstatSync(at).mode & 0o7777, 0o600)
    const entry = { x: { mode: '0600', owner: `${APP}`, group: `${APP}` } }
    await deployed(host, prepare(NOTHING, tree(entry)))
    const { mode, uid, gid } = lstatSync(join(host, BASE, 'apps/a/current/x'))
    assert.deepEqual([mode & 0o7777, uid, gid], [0o600, APP, APP])
  },
)

test('--adopt replaces it, and keeps a backup', asRoot, async t => {
  const host = makeHost(t)
  const at = join(host, 'etc/x')
  writeFileSync(at, 'key\n')
  chmodSync(at, 0o600)
  const tree = { 'a/x': 'key\n', 'a/manifest.json': manifest({ symlinks: { '/etc/x': 'x' } }) }
  const adopting = prepare(NOTHING, tree, { adopt: true })
  await deployed(host, adopting)
  const backup = join(host, BASE, 'backup', (adopting.requests[0] as Deploy).id, 'etc/x')
  assert.equal(lstatSync(backup).mode & 0o7777, 0o600)
})

test('a file of terabytes in the place of a link is refused by its size', async t => {
  const host = makeHost(t)
  writeFileSync(join(host, 'etc/x'), '')
  truncateSync(join(host, 'etc/x'), 5 * TERA)
  const [problem] = problems(await deployTo(host, prepare(NOTHING, V2)))
  assert.match(problem!.what, /exists and differs .*: it has 5497558138880 bytes, the target 4$/)
})

test(
  "an app's file that its user made terabytes large is written anew, and found by verify",
  asRoot,
  async t => {
    const host = makeHost(t)
    const files = manifest({ files: { x: { owner: `${APP}` } } })
    const first = await deployed(host, prepare(NOTHING, { 'a/x': 'one\n', 'a/manifest.json': files }))
    const at = join(host, BASE, 'apps/a/current/x')
    truncateSync(at, 5 * TERA)
    const driver = new Driver(host).say({ type: 'verify' })
    await driver.next()
    const verified = await driver.next()
    await driver.end()
    assert.ok(verified !== 'end' && verified.type === 'verified')
    assert.deepEqual(verified.findings, [{ kind: 'file', app: 'a', path: 'x', how: 'changed' }])
    await deployed(host, prepare(first, { 'a/x': 'one\n', 'a/y': 'two\n', 'a/manifest.json': files }))
    assert.equal(readFileSync(at, 'utf8'), 'one\n')
    assert.ok(existsSync(join(host, BASE, 'apps/a/current/y')))
  },
)

test('what the agent reads into memory has a limit', async t => {
  const host = makeHost(t)
  const first = await deployed(host, prepare(NOTHING, V1))
  truncateSync(join(host, BASE, 'log'), 5 * TERA)
  const said = await deployTo(host, prepare(first, V2))
  assert.deepEqual(said.at(-1), {
    type: 'refused',
    refusal: { kind: 'error', message: `cannot read '/${BASE}/log': the file is too large` },
  })
})
