/** The way back: what the agent sends to an operator who does not know this host's history, or not all of it. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inflateSync } from 'node:zlib'
import type { Oid } from '../../src/plan/names.ts'
import type { Deploy, Fetched, ObjectChunk } from '../../src/protocol/messages.ts'
import { Driver, deployTo, makeRoot, NOTHING, prepare } from '../support/agent-driver.ts'

interface Told {
  readonly batches: readonly (readonly ObjectChunk[])[]
  readonly fetched: Fetched
}

async function fetch(root: string, have: Oid | null): Promise<Told> {
  const driver = new Driver(root).say({ type: 'fetch', have })
  const batches: (readonly ObjectChunk[])[] = []
  const hello = await driver.next()
  assert.ok(hello !== 'end' && hello.type === 'hello')
  for (;;) {
    const reply = await driver.next()
    assert.ok(reply !== 'end')
    if (reply.type === 'objects') batches.push(reply.objects)
    else {
      assert.equal(reply.type, 'fetched')
      assert.equal(await driver.end(), 0)
      return { batches, fetched: reply as Fetched }
    }
  }
}

/** The objects in their order, each checked against its name. */
function objectsOf({ batches }: Told): Oid[] {
  const pieces = new Map<Oid, Uint8Array[]>()
  for (const { oid, bytes } of batches.flat()) pieces.set(oid, [...(pieces.get(oid) ?? []), bytes])
  for (const [oid, parts] of pieces)
    assert.equal(
      createHash('sha1')
        .update(inflateSync(Buffer.concat(parts)))
        .digest('hex'),
      oid,
    )
  assert.equal(batches.flat().filter(({ last }) => last).length, pieces.size)
  return [...pieces.keys()]
}

test('everything, what is new, or nothing: contents before what names them', async t => {
  const root = makeRoot(t)
  const one = prepare(NOTHING, { 'a/x': 'one', 'a/same': 'same', 'b/d/y': 'y' })
  await deployTo(root, one)
  const two = prepare(one, { 'a/x': 'two', 'a/same': 'same', 'b/d/y': 'y' })
  await deployTo(root, two)
  const back = prepare(two, { 'a/x': 'one', 'a/same': 'same', 'b/d/y': 'y' })
  await deployTo(root, back)

  const all = await fetch(root, null)
  const oids = objectsOf(all)
  // 4 blobs, trees a, d, b and the root, then x, a and the root again, and three commits; the third has an old tree.
  assert.equal(oids.length, 4 + 4 + 2 + 3)
  assert.deepEqual(
    [one, two, back].map(({ commit }) => oids.indexOf(commit)),
    [7, 11, 12],
  )
  assert.equal(all.fetched.current, back.commit)
  assert.deepEqual(
    all.fetched.log.map(({ to, outcome, operator }) => `${to} ${outcome} ${operator}`),
    [one, two, back].map(({ commit }) => `${commit} held Test <t@t>`),
  )
  assert.deepEqual(objectsOf(await fetch(root, one.commit)), oids.slice(8))
  // All that the last one has was there before 'have': the trees are sent again, as only the newest known is looked at.
  assert.equal(objectsOf(await fetch(root, two.commit)).at(-1), back.commit)
  assert.deepEqual((await fetch(root, back.commit)).batches, [])
  assert.deepEqual(objectsOf(await fetch(root, 'f'.repeat(40) as Oid)), oids, 'one that it never had')
})

test('a host on which nothing was deployed says so, and nothing is written there', async t => {
  const root = makeRoot(t)
  const { batches, fetched } = await fetch(root, null)
  assert.deepEqual([batches, fetched], [[], { type: 'fetched', current: null, log: [], unread: [] }])
  assert.deepEqual(readdirSync(root), ['etc'])
})

test('what does not compress travels in batches of some 256 KiB', async t => {
  const root = makeRoot(t)
  const noise = (seed: number, length: number) => {
    let text = ''
    for (let i = 0; text.length < length; i++)
      text += createHash('sha256').update(`${seed} ${i}`).digest('base64')
    return text
  }
  await deployTo(
    root,
    prepare(NOTHING, { 'a/large': noise(0, 1_500_000), 'a/b': noise(1, 150_000), 'a/c': noise(2, 150_000) }),
  )
  const { batches } = await fetch(root, null)
  const sizes = batches.map(batch => batch.reduce((sum, { bytes }) => sum + bytes.length, 0))
  assert.ok(sizes.length >= 5, `${sizes}`)
  for (const size of sizes) assert.ok(size < 512 * 1024, `${sizes}`)
})

test('a deployment under way on the same host disturbs nobody, and is not told', async t => {
  const root = makeRoot(t)
  const one = prepare(NOTHING, { 'a/x': 'one' })
  await deployTo(root, one)
  const two = prepare(one, { 'a/x': 'two' })
  const driver = new Driver(root).say(...two.requests)
  await driver.next()
  assert.equal(((await driver.next()) as { type: string }).type, 'staged')
  assert.equal((await fetch(root, null)).fetched.current, one.commit)
  driver.say({ type: 'activate' })
  assert.equal(((await driver.next()) as { type: string }).type, 'settled')
  const during = await fetch(root, one.commit)
  assert.deepEqual([during.fetched.current, during.batches], [one.commit, []])
  const [deploy] = two.requests as [Deploy]
  driver.say({ type: 'confirm', id: deploy.id })
  assert.equal(((await driver.next()) as { outcome: string }).outcome, 'held')
  await driver.end()
  assert.equal((await fetch(root, one.commit)).fetched.current, two.commit)
})

test('what failed is told with what its commit says, and lines that are no records are passed over', async t => {
  const root = makeRoot(t)
  const one = prepare(NOTHING, { 'a/x': 'one' }, { confirmMs: 1 })
  const driver = new Driver(root).say(...one.requests)
  await driver.next()
  await driver.next()
  driver.say({ type: 'activate' })
  while ((await driver.next()) !== 'end');
  appendFileSync(
    join(root, 'var/lib/deptool/log'),
    '{"id":"20261123T000000-0000000000","outcome":"grand"}\n{"id":\n',
  )
  const { fetched, batches } = await fetch(root, null)
  assert.deepEqual([fetched.current, batches], [null, []])
  assert.deepEqual(
    fetched.log.map(({ outcome, subject, why }) => [outcome, subject, why]),
    [['undone', 'v', 'not confirmed within 0.001 s']],
  )
})

test('an operator who hangs up in the middle leaves no agent behind', async t => {
  const root = makeRoot(t)
  const files = Object.fromEntries(
    Array.from({ length: 40 }, (_, i) => [
      `a/${i}`,
      createHash('sha512').update(`${i}`).digest('base64').repeat(2000),
    ]),
  )
  await deployTo(root, prepare(NOTHING, files))
  const driver = new Driver(root).say({ type: 'fetch', have: null })
  await driver.next()
  driver.child.stdout.destroy()
  assert.equal(await driver.end(), 0)
})
