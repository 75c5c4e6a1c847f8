/** What other builds left on a host: the real agent on an embedded root, with files as those builds write them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Oid } from '../../src/plan/names.ts'
import type { Deploy, Hello, Reply, Request } from '../../src/protocol/messages.ts'
import {
  Driver,
  deployTo,
  makeRoot,
  NOTHING,
  type Prepared,
  prepare,
  readIn,
} from '../support/agent-driver.ts'

const LINKED = JSON.stringify({ symlinks: { '/etc/app.conf': 'app.conf' } })

test('a journal says of which format it is, and which build wrote it', async t => {
  const { journal, second } = await cutOff(t)
  const [format, header] = lines(journal()) as [Record<string, unknown>, Record<string, unknown>]
  assert.equal(format['format'], 2)
  assert.equal(format['deployment'], idOf(second))
  assert.match(`${format['version']} ${format['build']}`, /^\d+\.\d+\.\d+\S* [0-9a-f]{10}$/)
  assert.equal(header['id'], idOf(second))
})

test('builds before the format read the header of a journal as none of theirs', async t => {
  const { journal } = await cutOff(t)
  const [first] = lines(journal()) as [Record<string, unknown>]
  // What they ask of the first line, and refuse as damaged where it is missing.
  assert.equal(first['operator'], undefined)
  assert.equal(first['bootId'], undefined)
})

const FOREIGN: Readonly<Record<string, (lines: unknown[]) => unknown[]>> = {
  'is of a newer format': ([format, ...rest]) => [{ ...(format as object), ...OTHER, format: 3 }, ...rest],
  'has a step of an unknown kind': changed(one => ({ ...one, step: { kind: 'levitate' } })),
  'has an unknown record of what was before': changed(one => ({ ...one, before: { kind: 'weather' } })),
  'has an unknown field beside a step': changed(one => ({ ...one, after: 1 })),
  'has an unknown field in a step': changed(one => ({
    ...one,
    step: { ...(one.step as object), soft: true },
  })),
  'has an unknown field in what was before': changed(one => ({
    ...one,
    before: { ...(one.before as object), weather: 'fine' },
  })),
  'has an unknown field in its header': ([format, header, ...rest]) => [
    { ...(format as object), ...OTHER },
    { ...(header as object), urgent: true },
    ...rest,
  ],
}

const OTHER = { version: '0.9.0', build: '0123456789' }

for (const [how, change] of Object.entries(FOREIGN))
  test(`a journal that ${how} is kept, and stops every session with the same words`, async t => {
    const { root, second, journal, file } = await cutOff(t)
    const text = unlines(change(lines(journal())))
    writeFileSync(file, text)
    const what = `deployment ${idOf(second)} was cut off on this host under git-deploy 0.9.0`
    const hint = "run 'git deploy ping' with that version to end it"
    for (const request of openings(second)) {
      const reply = await answerTo(root, request)
      assert.deepEqual(reply, {
        type: 'refused',
        refusal: { kind: 'preflight', problems: [{ what, hint }] },
      })
    }
    assert.equal(journal(), text)
    assert.equal(running(root), 'two')
  })

test('a journal of before the formats that holds an unknown step names no version', async t => {
  const { root, second, journal, file } = await cutOff(t)
  const [, ...rest] = FOREIGN['has a step of an unknown kind']!(lines(journal()))
  writeFileSync(file, unlines(rest))
  const reply = await answerTo(root, { type: 'ping' })
  assert.ok(reply.type === 'refused' && reply.refusal.kind === 'preflight')
  assert.equal(
    reply.refusal.problems[0]!.what,
    `deployment ${idOf(second)} was cut off on this host under another version of git-deploy`,
  )
  assert.ok(existsSync(file))
})

test('a journal of before the formats is read, whatever fields came later', async t => {
  const { root, journal, file } = await cutOff(t)
  const [, header, prepared, ...marks] = lines(journal()) as [unknown, unknown, unknown[], ...unknown[]]
  const older = { step: { kind: 'restart', units: ['app.service'] }, before: { kind: 'units', running: [] } }
  writeFileSync(file, unlines([header, [...prepared, older], ...marks, prepared.length]))
  assert.equal((await answerTo(root, { type: 'ping' })).type, 'pong')
  assert.ok(!existsSync(file))
  assert.equal(running(root), 'one')
  assert.deepEqual(outcomes(root), ['held', 'undone'])
})

test('a journal that a build before the formats has set aside is ended', async t => {
  const { root, file } = await cutOff(t)
  renameSync(file, `${file}.damaged`)
  assert.equal((await answerTo(root, { type: 'ping' })).type, 'pong')
  assert.ok(!existsSync(`${file}.damaged`))
  assert.equal(running(root), 'one')
  assert.deepEqual(outcomes(root), ['held', 'undone'])
})

test('one of them that is not of this deployment any more waits for its repair', async t => {
  const { root, journal, file } = await cutOff(t)
  const [format, header, ...rest] = lines(journal())
  const elsewhere = { ...(header as object), from: '1'.repeat(40), to: '2'.repeat(40) }
  rmSync(file)
  writeFileSync(`${file}.damaged`, unlines([format, elsewhere, ...rest]))
  assert.equal((await answerTo(root, { type: 'ping' })).type, 'pong')
  assert.ok(existsSync(`${file}.damaged`))
})

for (const [how, line] of [
  ['is newer', 'format 2\n'],
  ['holds a line of an unknown kind', 'socket /run/app.sock\n'],
] as const)
  test(`an inventory that ${how} is kept, and stops every session`, async t => {
    const { root, second } = await held(t)
    const file = join(root, 'var/lib/deptool/inventory')
    const text = `${readFileSync(file, 'utf8')}${line}`
    writeFileSync(file, how === 'is newer' ? line : text)
    for (const request of openings(second)) {
      const reply = await answerTo(root, request)
      assert.ok(reply.type === 'refused' && reply.refusal.kind === 'preflight', JSON.stringify(reply))
      assert.match(
        reply.refusal.problems[0]!.what,
        /^cannot read '.*\/inventory': a newer version of git-deploy wrote it$/,
      )
    }
    assert.equal(readFileSync(file, 'utf8'), how === 'is newer' ? line : text)
  })

test('lines of the log that are not known are kept and skipped', async t => {
  const { root, first, second } = await held(t)
  const file = join(root, 'var/lib/deptool/log')
  const known = readFileSync(file, 'utf8')
  const strange = [
    { ...JSON.parse(known), id: '20290101T000000-0000000001', outcome: 'postponed' },
    { ...JSON.parse(known), id: '20290101T000000-0000000002', format: 2 },
  ]
  writeFileSync(file, known + unlines(strange))
  const fetched = await answerTo(root, { type: 'fetch', have: first.commit as Oid })
  assert.ok(fetched.type === 'fetched')
  assert.deepEqual(
    fetched.log.map(({ id }) => id),
    [idOf(first)],
  )
  assert.deepEqual(
    fetched.unread,
    strange.map(({ id }) => id),
  )
  assert.equal((await deployTo(root, second)).length, 4)
  assert.ok(readFileSync(file, 'utf8').startsWith(known + unlines(strange)))
})

test('a saved plan whose end is in words of a newer version is not carried out again', async t => {
  const { root, second } = await held(t)
  const file = join(root, 'var/lib/deptool/log')
  const known = JSON.parse(readFileSync(file, 'utf8'))
  writeFileSync(file, unlines([known, { ...known, id: idOf(second), outcome: 'postponed' }]))
  const reply = await answerTo(root, second.requests[0]!)
  assert.ok(reply.type === 'refused' && reply.refusal.kind === 'preflight', JSON.stringify(reply))
  assert.match(reply.refusal.problems[0]!.what, /has ended on this host, but only a newer version/)
})

test('a store of a format that git has not told us of is kept', async t => {
  const root = makeRoot(t)
  const config = join(root, 'var/lib/deptool/store/config')
  const text = '[core]\n\trepositoryformatversion = 2\n\tbare = true\n'
  mkdirSync(dirname(config), { recursive: true })
  writeFileSync(config, text)
  const first = prepare(NOTHING, { 'app/app.conf': 'one' })
  const reply = await answerTo(root, first.requests[0]!)
  assert.ok(reply.type === 'refused' && reply.refusal.kind === 'preflight', JSON.stringify(reply))
  assert.match(
    reply.refusal.problems[0]!.what,
    /^cannot read '.*\/store\/config': a newer version of git-deploy wrote it$/,
  )
  assert.equal(readFileSync(config, 'utf8'), text)
})

test('the time that is left is told only by the note of a build that measures it the same way', async t => {
  const { root } = await settled(t)
  const file = join(root, 'var/lib/deptool/lock')
  const [holder, settledNote] = lines(readFileSync(file, 'utf8'))
  assert.equal((holder as { format?: number }).format, 1)
  const left = async () => {
    const hello = await greeting(root)
    return hello.pending?.msLeft
  }
  assert.ok((await left())! > 0)
  writeFileSync(file, unlines([holder, { ...(settledNote as object), format: 2 }]))
  assert.equal(await left(), null)
  writeFileSync(file, unlines([holder, { until: Date.now() + 5000 }]))
  assert.equal(await left(), null)
})

/** A host with one version deployed, and the next to be deployed. */
async function held(t: TestContext) {
  const root = makeRoot(t)
  const first = prepare(NOTHING, { 'app/app.conf': 'one', 'app/manifest.json': LINKED })
  const second = prepare(first, { 'app/app.conf': 'two', 'app/manifest.json': LINKED })
  await deployTo(root, first)
  return { root, first, second }
}

/** The next has settled, and the agent waits for its confirmation. */
async function settled(t: TestContext) {
  const all = await held(t)
  const running = new Driver(all.root).say(...all.second.requests)
  t.after(() => running.child.kill('SIGKILL'))
  for (const type of ['hello', 'staged', 'settled']) {
    assert.equal(typeOf(await running.next()), type)
    if (type === 'staged') running.say({ type: 'activate' })
  }
  return { ...all, running }
}

/** And was killed. */
async function cutOff(t: TestContext) {
  const all = await settled(t)
  all.running.child.kill('SIGKILL')
  await once(all.running.child, 'exit')
  const file = join(all.root, 'var/lib/deptool/journal')
  return { ...all, file, journal: () => readFileSync(file, 'utf8') }
}

function changed(change: (one: { step: unknown; before: unknown }) => object) {
  return ([format, header, prepared, ...marks]: unknown[]) => {
    const [last, ...others] = [...(prepared as { step: unknown; before: unknown }[])].reverse()
    return [{ ...(format as object), ...OTHER }, header, [...others.reverse(), change(last!)], ...marks]
  }
}

function openings(version: Prepared): Request[] {
  const { id } = version.requests[0] as Deploy
  return [
    { type: 'ping' },
    { type: 'fetch', have: null },
    { type: 'verify' },
    { type: 'ask', id },
    version.requests[0]!,
  ]
}

/** What a session says after its greeting. */
async function answerTo(root: string, request: Request): Promise<Reply> {
  const driver = new Driver(root).say(request)
  assert.equal(typeOf(await driver.next()), 'hello')
  const reply = await driver.next()
  assert.ok(reply !== 'end', driver.stderr)
  await driver.end()
  return reply
}

async function greeting(root: string): Promise<Hello> {
  const driver = new Driver(root)
  const hello = await driver.next()
  await driver.end()
  assert.ok(hello !== 'end' && hello.type === 'hello')
  return hello
}

const typeOf = (reply: Reply | 'end') => (reply === 'end' ? reply : reply.type)
const idOf = (version: Prepared) => (version.requests[0] as Deploy).id
const lines = (text: string): unknown[] =>
  text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
const unlines = (values: readonly unknown[]) => values.map(value => `${JSON.stringify(value)}\n`).join('')
const running = (root: string) => readIn(root, 'var/lib/deptool/apps/app/current/app.conf')
const outcomes = (root: string) =>
  lines(readIn(root, 'var/lib/deptool/log')).map(line => (line as { outcome: string }).outcome)
