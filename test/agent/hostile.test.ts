/**
 * A hostile operator's side. It is root on the host by right, so this is about accidents of the worst kind: whatever
 * bytes come, the real agent ends soon, leaves no journal, and writes nowhere but where a deployment may.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { deflateSync } from 'node:zlib'
import type { Oid } from '../../src/plan/names.ts'
import type { Deploy, Reply } from '../../src/protocol/messages.ts'
import { AGENT, Driver, deployTo, makeRoot, NOTHING, prepare } from '../support/agent-driver.ts'
import { HostFiles } from '../support/host-files.ts'
import { mutate } from '../support/mutate.ts'
import { Random } from '../support/random.ts'

const CASES = 240 * Number(process.env['GIT_DEPLOY_FUZZ'] ?? 1)
/** Of bugs that were found, and of what is worth keeping. */
const SEEDS = [...Array(CASES).keys()]

test(`${CASES} spoilt conversations with the real agent`, async t => {
  const root = makeRoot(t)
  const first = prepare(NOTHING, { 'a/x': '1' })
  await deployTo(root, first)
  const next = prepare(first, { 'a/x': '2', 'b/y': '3' }, { confirmMs: 50 })
  const [deploy] = next.requests as [Deploy]
  const conversations = [
    [...next.requests, { type: 'activate' }, { type: 'confirm', id: deploy.id }],
    [...next.requests, { type: 'activate' }, { type: 'undo', id: deploy.id, why: 'why' }],
    [{ type: 'verify' }],
    [{ type: 'ask', id: deploy.id }],
  ]
  const host = new HostFiles(() => root)
  const outside = () => [...host.tree('/etc'), ...host.tree('/').filter(line => !/ var\//.test(line))]
  const before = outside()
  let slowest = 0
  for (const seed of SEEDS) {
    const random = new Random(seed)
    const bytes = mutate(random.one(conversations), random)
    const { code, stderr, ms } = await speak(root, bytes)
    slowest = Math.max(slowest, ms)
    assert.equal(stderr, '', `seed ${seed}`)
    assert.equal(code, 0, `seed ${seed}`)
    assert.equal(host.exists('/var/lib/deptool/journal'), false, `seed ${seed}: a journal`)
    assert.deepEqual(outside(), before, `seed ${seed}`)
    assert.match(host.readlink('/var/lib/deptool/apps/a/current') ?? '', /^[0-9a-f]{10}$/, `seed ${seed}`)
  }
  t.diagnostic(`the slowest took ${slowest.toFixed(0)} ms`)
})

async function speak(root: string, bytes: Uint8Array) {
  const started = performance.now()
  const child = spawn(AGENT, [], { env: { DEPTOOL_ROOT: root } })
  let stderr = ''
  child.stdout.resume()
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  child.stdin.on('error', () => {})
  child.stdin.end(bytes)
  const hung = setTimeout(() => child.kill('SIGKILL'), 60_000)
  const [code, signal] = await once(child, 'close')
  clearTimeout(hung)
  return { code: signal ?? code, stderr, ms: performance.now() - started }
}

type Entry = readonly [mode: string, name: string | Uint8Array, oid: string]

const FILE = object('blob', Buffer.from('hello'))
const LINK = object('blob', Buffer.from('../../..'))
const DOT = object('blob', Buffer.from('.'))
const inner = tree([['100644', 'passwd', FILE.oid]])

for (const [what, entries, said] of [
  ["'..'", [['100644', '..', FILE.oid]], /not a safe file name/],
  ["a directory '..'", [['40000', '..', inner.oid]], /not a safe file name/],
  ["'.'", [['40000', '.', inner.oid]], /not a safe file name/],
  ['no name', [['100644', '', FILE.oid]], /not a safe file name/],
  ['an absolute name', [['100644', '/etc/passwd', FILE.oid]], /not a safe file name/],
  ['a name with a slash', [['100644', 'a/../../b', FILE.oid]], /not a safe file name/],
  ["'.git'", [['40000', '.GIT', inner.oid]], /cannot track/],
  ['a name that is not UTF-8', [['100644', Buffer.from([0xff, 0xfe]), FILE.oid]], /not UTF-8/],
  ['a name with a newline', [['100644', 'a\nb', FILE.oid]], /not a safe file name/],
  ['a submodule', [['160000', 'm', FILE.oid]], /submodule/],
  ['a device', [['60644', 'm', FILE.oid]], /its mode 60644 is not supported/],
  ['a link that leaves', [['120000', 'l', LINK.oid]], /outside its app/],
  [
    'a file twice',
    [
      ['100644', 'd', FILE.oid],
      ['100755', 'd', FILE.oid],
    ],
    /occurs twice/,
  ],
  [
    'a link and a directory of one name',
    [
      ['120000', 'd', DOT.oid],
      ['40000', 'd', inner.oid],
    ],
    /occurs twice/,
  ],
  [
    'a directory and a link of one name, apart',
    [
      ['40000', 'd', inner.oid],
      ['100644', 'e', FILE.oid],
      ['120000', 'd', DOT.oid],
    ],
    /occurs twice/,
  ],
] as const satisfies readonly (readonly [string, readonly Entry[], RegExp])[])
  test(`a tree with ${what} is refused`, async t => {
    const root = makeRoot(t)
    const app = tree(entries)
    const reply = await offer(root, [FILE, LINK, DOT, inner, app, tree([['40000', 'a', app.oid]])])
    assert.match(refusalOf(reply), said)
    assert.deepEqual(new HostFiles(() => root).tree('/var/lib/deptool/apps'), [])
  })

test('a tree that holds itself ten times over, eight times, is not read to its end', async t => {
  const root = makeRoot(t)
  const objects = [FILE, tree([['100644', 'f', FILE.oid]])]
  for (let depth = 0; depth < 8; depth++) {
    const { oid } = objects.at(-1)!
    objects.push(tree(Array.from({ length: 10 }, (_, i) => ['40000', `d${i}`, oid])))
  }
  assert.match(refusalOf(await offer(root, objects)), /at most 50000 files/)
})

test('a tree that is no tree, and a commit that is none', async t => {
  const root = makeRoot(t)
  assert.match(
    refusalOf(await offer(root, [object('tree', Buffer.from('nonsense'))])),
    /malformed tree object/,
  )
})

for (const [what, make, said] of [
  [
    'of another name',
    (raw: Buffer) => deflateSync(Buffer.concat([raw, Buffer.from('x')])),
    /longer than its header says/,
  ],
  [
    'that is shorter than its header says',
    (raw: Buffer) => deflateSync(raw.subarray(0, -1)),
    /shorter than its header says/,
  ],
  [
    'of other bytes',
    (raw: Buffer) => deflateSync(Buffer.concat([raw.subarray(0, -1), Buffer.from('x')])),
    /hashes to/,
  ],
  ['that is no zlib', (raw: Buffer) => raw, /cannot be decompressed/],
  ['without a type', () => deflateSync(Buffer.from('spam 4\0spam')), /does not begin with an object header/],
  ['without a header', () => deflateSync(Buffer.alloc(1000, 0x20)), /does not begin with an object header/],
  [
    'that is a bomb',
    () => deflateSync(Buffer.alloc(8 * 1024 * 1024)),
    /does not begin with an object header/,
  ],
  [
    'that is a bomb with a header',
    (raw: Buffer) => deflateSync(Buffer.concat([raw, Buffer.alloc(8 * 1024 * 1024)])),
    /longer than its header says/,
  ],
] as const)
  test(`an object ${what} is refused`, async t => {
    const root = makeRoot(t)
    const raw = Buffer.from('blob 5\0hello')
    const reply = await offer(root, [{ oid: FILE.oid, bytes: make(raw) }])
    assert.match(refusalOf(reply), said)
    assert.deepEqual(new HostFiles(() => root).tree('/var/lib/deptool/store/quarantine'), [])
  })

test('a manifest of 24 MiB in 24 KiB is not read into memory', async t => {
  const root = makeRoot(t)
  const size = 24 * 1024 * 1024
  const raw = Buffer.concat([Buffer.from(`blob ${size}\0`), Buffer.alloc(size, 0x20)])
  const bomb = { oid: sha1(raw) as Oid, bytes: deflateSync(raw) }
  const app = tree([['100644', 'manifest.json', bomb.oid]])
  const { reply, peakMiB } = await offerMeasured(root, [bomb, app, tree([['40000', 'a', app.oid]])])
  assert.match(refusalOf(reply), /is over the limit of 16777216 bytes/)
  assert.ok(peakMiB < 64, `${peakMiB} MiB`)
  t.diagnostic(`at its peak the agent took ${peakMiB} MiB`)
})

test('a plan that the operator did not accept is not carried out, and both sides are told', async t => {
  const root = makeRoot(t)
  const other = prepare(NOTHING, { 'b/x': '1' }, { digest: '0'.repeat(64) })
  const [, refused] = await deployTo(root, other)
  assert.deepEqual(refused, { type: 'refused', refusal: { kind: 'plan', steps: other.steps } })
  assert.equal(existsSync(join(root, 'var/lib/deptool/apps/b')), false)
})

test('the store is for root alone', async t => {
  const root = makeRoot(t)
  await deployTo(root, prepare(NOTHING, { 'a/x': '1' }))
  const mode = (path: string) => (statSync(join(root, 'var/lib/deptool', path)).mode & 0o777).toString(8)
  assert.deepEqual(['store', 'backup', 'lock', 'log'].map(mode), ['700', '700', '600', '600'])
})

test('a file that looks like one of ours outside is not touched', async t => {
  const root = makeRoot(t)
  mkdirSync(join(root, 'etc/systemd/system'), { recursive: true })
  writeFileSync(join(root, 'etc/systemd/system/x.service'), 'theirs')
  const from = prepare(NOTHING, { 'a/systemd/x.service': '[Service]' })
  const [, reply] = await deployTo(root, from)
  assert.match(JSON.stringify(reply), /exists and differs/)
  assert.equal(readFileSync(join(root, 'etc/systemd/system/x.service'), 'utf8'), 'theirs')
})

interface Sent {
  readonly oid: Oid
  readonly bytes: Uint8Array
}

/** Offers the last of the objects, with those before it, as the tree of a first deployment. */
async function offer(root: string, objects: readonly Sent[]): Promise<Reply | 'end'> {
  return (await offerMeasured(root, objects)).reply
}

async function offerMeasured(root: string, objects: readonly Sent[]) {
  const top = objects.at(-1)!
  const commit = object(
    'commit',
    Buffer.from(`tree ${top.oid}\nauthor T <t@t> 1 +0000\ncommitter T <t@t> 1 +0000\n\nv\n`),
  )
  const [deploy] = prepare(NOTHING, {}, { to: commit.oid }).requests as [Deploy]
  const driver = new Driver(root)
  driver.say(deploy)
  for (const { oid, bytes } of [...objects, commit])
    for (let at = 0; at < bytes.length; at += 1 << 20)
      driver.say({
        type: 'objects',
        objects: [{ oid, bytes: bytes.subarray(at, at + (1 << 20)), last: at + (1 << 20) >= bytes.length }],
      })
  driver.say({ type: 'stage' })
  await driver.next()
  const { pid } = driver.child
  const reading = setInterval(() => measure(), 20)
  let peakMiB = 0
  const measure = () => {
    try {
      const kib = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
      peakMiB = Math.max(peakMiB, Number(kib ?? 0) / 1024)
    } catch {
      // It has ended.
    }
  }
  const reply = await driver.next()
  measure()
  clearInterval(reading)
  await driver.end()
  assert.equal(driver.stderr, '')
  return { reply, peakMiB }
}

function refusalOf(reply: Reply | 'end'): string {
  assert.ok(reply !== 'end' && reply.type === 'refused', JSON.stringify(reply))
  return JSON.stringify(reply.refusal)
}

function tree(entries: readonly Entry[]): Sent {
  return object(
    'tree',
    Buffer.concat(
      entries.flatMap(([mode, name, oid]) => [
        Buffer.from(`${mode} `),
        Buffer.from(name as string),
        Buffer.from([0]),
        Buffer.from(oid, 'hex'),
      ]),
    ),
  )
}

function object(type: string, content: Buffer): Sent {
  const raw = Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content])
  return { oid: sha1(raw) as Oid, bytes: deflateSync(raw) }
}

function sha1(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex')
}
