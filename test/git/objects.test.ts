import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { inflateSync } from 'node:zlib'
import { BatchParser } from '../../src/git/batch-parser.ts'
import { chunkSource } from '../../src/git/chunks.ts'
import { looseObject } from '../../src/git/loose-object.ts'
import { drive } from '../../src/git/objects.ts'
import { must, type Oid, oid } from '../../src/plan/names.ts'
import type { Reading } from '../../src/plan/reading.ts'
import { makeScratch, type Scratch } from './scratch.ts'

const ABSENT = must(oid, 'f'.repeat(40))

function store(scratch: Scratch, content: string | Uint8Array): Oid {
  const args = ['hash-object', '-w', '--stdin']
  return must(
    oid,
    execFileSync('git', args, { cwd: scratch.dir, env: scratch.env, input: content }).toString().trim(),
  )
}

test('objects that exist are read, and those that do not are absent', async t => {
  const scratch = makeScratch(t)
  const [a, empty] = [store(scratch, 'a\n\0b'), store(scratch, '')]
  const reader = scratch.reader(await scratch.open())
  const contents = await reader.read([a, ABSENT, empty])
  assert.deepEqual([...contents.keys()], [a, empty])
  assert.equal(`${contents.get(a)}`, 'a\n\0b')
  assert.equal(contents.get(empty)?.length, 0)
  assert.equal((await reader.read([])).size, 0)
})

test('an object is found by a revision expression, with its type', async t => {
  const scratch = makeScratch(t)
  scratch.write({ 'a b/ü': 'x' })
  const commit = scratch.commit('begin')
  const reader = scratch.reader(await scratch.open())
  assert.equal((await reader.readTyped('HEAD'))?.oid, commit)
  assert.equal((await reader.readTyped('HEAD:a b'))?.type, 'tree')
  assert.equal((await reader.readTyped('HEAD:a b/ü'))?.type, 'blob')
  assert.equal(await reader.readTyped('nope'), undefined)
  assert.equal(await reader.readTyped('HEAD\nHEAD'), undefined)
})

test('questions that overlap each get their own answers', async t => {
  const scratch = makeScratch(t)
  const oids = Array.from({ length: 50 }, (_, i) => store(scratch, `content ${i}`.repeat(i)))
  const reader = scratch.reader(await scratch.open())
  const answers = await Promise.all(
    oids.map((oid, i) => (i % 3 ? reader.read([oid, ABSENT]) : reader.read([ABSENT, oid, oid]))),
  )
  answers.forEach((contents, i) => {
    assert.equal(`${contents.get(oids[i]!)}`, `content ${i}`.repeat(i))
  })
})

test('an object written later is found, and a closed reader starts anew', async t => {
  const scratch = makeScratch(t)
  const reader = scratch.reader(await scratch.open())
  await reader.read([ABSENT])
  const late = store(scratch, 'late')
  assert.equal((await reader.read([late])).size, 1)
  reader.close()
  assert.equal((await reader.read([late])).size, 1)
})

test('an object is what its name says, even where a replacement was set', async t => {
  const scratch = makeScratch(t)
  const [old, other] = [store(scratch, 'old'), store(scratch, 'other')]
  scratch.git('replace', old, other)
  const reader = scratch.reader(await scratch.open())
  assert.equal(`${(await reader.readTyped(old))?.content}`, 'old')
})

test('a blob of 100 MB is read without being copied again and again', async t => {
  const scratch = makeScratch(t)
  const big = Buffer.alloc(100 << 20, 'deploy')
  const oid = store(scratch, big)
  const reader = scratch.reader(await scratch.open())
  const found = await reader.readTyped(oid)
  assert.equal(Buffer.compare(found!.content, big), 0)
})

test('output is understood however it is cut into chunks', () => {
  const name = 'a'.repeat(40)
  const stream = Buffer.from(`${name} blob 3\nx\ny\nnope missing\n${name} tree 0\n\n${name} blob 1\n\n\n`)
  for (let size = 1; size <= stream.length; size++) {
    const seen: (string | undefined)[] = []
    const parser = new BatchParser(
      object =>
        seen.push(
          object && `${object.type} ${'content' in object ? object.content : `of ${object.size} bytes`}`,
        ),
      () => 2,
    )
    for (let at = 0; at < stream.length; at += size) parser.push(stream.subarray(at, at + size))
    assert.deepEqual(seen, ['blob of 3 bytes', undefined, 'tree ', 'blob \n'])
  }
})

test('what is too long to be held travels as git stores it all the same', async t => {
  const scratch = makeScratch(t)
  const big = Buffer.alloc(9 << 20, 'deploy')
  const oid = store(scratch, big)
  const chunks = []
  for await (const batch of chunkSource(scratch.reader(await scratch.open()), new Set())([oid]))
    chunks.push(...batch)
  assert.deepEqual(
    chunks.map(({ last }) => last),
    chunks.map((_, i) => i === chunks.length - 1),
  )
  const bytes = inflateSync(Buffer.concat(chunks.map(({ bytes }) => bytes)))
  assert.ok(bytes.equals(Buffer.concat([Buffer.from(`blob ${big.length}\0`), big])))
})

test('what several hosts need is compressed once, and what is sent holds no more memory than its bytes', async t => {
  const scratch = makeScratch(t)
  const [shared, own] = [store(scratch, 'for two hosts'), store(scratch, 'for one host')]
  const chunks = chunkSource(scratch.reader(await scratch.open()), new Set([shared]))
  const send = async () => {
    const sent: Uint8Array[] = []
    for await (const batch of chunks([shared, own])) sent.push(...batch.map(({ bytes }) => bytes))
    return sent
  }
  const [[first, ofOne], [second, ofOther]] = [await send(), await send()]
  assert.equal(first!.buffer, second!.buffer)
  assert.notEqual(ofOne!.buffer, ofOther!.buffer)
  for (const bytes of [first!, ofOne!]) assert.equal(bytes.buffer.byteLength, bytes.length)
})

test('a reader that dies fails those who wait', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  const reader = scratch.reader({ ...repo, env: { ...repo.env, GIT_DIR: '/nonexistent' } })
  await assert.rejects(reader.read([ABSENT]), /cannot run 'git cat-file': not a git repository/)
})

test('an idle reader does not keep the process alive, a waiting one does', async t => {
  const scratch = makeScratch(t)
  const module = (name: string) =>
    JSON.stringify(fileURLToPath(import.meta.resolve(`../../src/git/${name}.ts`)))
  const script = join(scratch.dir, 'script.mts')
  writeFileSync(
    script,
    `import { openRepository } from ${module('git')}
     import { ObjectReader } from ${module('objects')}
     const reader = new ObjectReader(await openRepository({ cwd: process.cwd(), env: process.env }))
     console.log((await reader.read(['${ABSENT}'])).size)`,
  )
  const args = ['--import', import.meta.resolve('tsx'), script]
  const { stdout, status } = spawnSync(process.execPath, args, {
    cwd: scratch.dir,
    env: scratch.env,
    encoding: 'utf8',
    timeout: 180_000,
  })
  assert.deepEqual({ stdout, status }, { stdout: '0\n', status: 0 })
})

test('a reading is driven to its end', async t => {
  const scratch = makeScratch(t)
  const [a, b] = [store(scratch, 'a'), store(scratch, 'b')]
  function* both(): Reading<string> {
    const first = yield [a]
    const second = yield [b]
    return `${first.get(a)}${second.get(b)}`
  }
  assert.equal(await drive(both(), scratch.reader(await scratch.open())), 'ab')
})

test('a loose object is one that git reads', t => {
  const scratch = makeScratch(t)
  const path = join(scratch.dir, '.git/objects/ce/013625030ba8dba906f756967f9e9ca394464a')
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, looseObject({ type: 'blob', content: Buffer.from('hello\n') }))
  assert.equal(scratch.git('cat-file', 'blob', 'ce013625030ba8dba906f756967f9e9ca394464a'), 'hello')
  scratch.git('fsck', '--strict')
})
