import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Repository } from '../../src/git/git.ts'
import {
  addOutcomes,
  type Ending,
  type KnownOutcome,
  openEnds,
  readKnownOutcomes,
} from '../../src/git/outcomes.ts'
import type { DeploymentId } from '../../src/plan/deployment-id.ts'
import { must, type Oid, oid } from '../../src/plan/names.ts'
import { host, makeScratch } from './scratch.ts'

const WEB1 = host('web1')

const [A, B, C] = ['a', 'b', 'c'].map(digit => must(oid, digit.repeat(40))) as [Oid, Oid, Oid]

const record = (
  second: number,
  outcome: Ending = 'held',
  from: Oid | null = null,
  to: Oid = A,
): KnownOutcome => ({
  id: `20261123T0745${String(second).padStart(2, '0')}-3f9a1c0b7e` as DeploymentId,
  from,
  to,
  operator: 'Ada <ada@example.org>',
  at: second,
  ms: 1,
  subject: null,
  outcome,
  why: '',
})

test('a record that a full disk cut short takes no other with it', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  await addOutcomes(repo, WEB1, [record(1)])
  appendFileSync(join(scratch.dir, '.git/deptool/log/web1'), '{"id":"2026')
  await addOutcomes(repo, WEB1, [record(2), record(3)])
  assert.deepEqual(readKnownOutcomes(repo, WEB1), [record(1), record(2), record(3)])
})

/** By the seconds of their ids. */
const open = (repo: Repository) => openEnds(repo, WEB1).map(({ id }) => Number(id.slice(13, 15)))

test('an end is open while nobody knows it, or it was damage, until the host went on from there', async t => {
  const repo = await makeScratch(t).open()
  const after = async (...records: KnownOutcome[]) => {
    await addOutcomes(repo, WEB1, records)
    return open(repo)
  }
  assert.deepEqual(open(repo), [])
  assert.deepEqual(await after(record(1, 'held', null, A)), [])
  assert.deepEqual(await after(record(2, 'unknown', A, B)), [2])
  assert.deepEqual(await after(record(3, 'refused', A, C)), [2], 'it never began')
  assert.deepEqual(await after(record(2, 'undone', A, B)), [], 'the later word counts')
  assert.deepEqual(await after(record(9, 'damaged', A, B)), [9])
  assert.deepEqual(await after(record(4, 'undone', A, C)), [9], 'what was left behind is there yet')
  assert.deepEqual(await after(record(5, 'held', A, C)), [], 'whatever the clock of the other said')
  assert.deepEqual(await after(record(6, 'unknown', C, B)), [6])
})

test('what a clock that is ahead has begun hides no end that nobody knows', async t => {
  const repo = await makeScratch(t).open()
  await addOutcomes(repo, WEB1, [record(59, 'held', null, A)])
  await addOutcomes(repo, WEB1, [record(10, 'unknown', A, B)])
  assert.deepEqual(open(repo), [10])
})

test('who was refused because another had begun with the same plan does not change how it ended', async t => {
  const repo = await makeScratch(t).open()
  await addOutcomes(repo, WEB1, [record(1, 'refused'), record(1), record(1, 'refused')])
  assert.deepEqual(readKnownOutcomes(repo, WEB1), [record(1)])
  await addOutcomes(repo, WEB1, [record(2, 'damaged', A, B), record(2, 'refused', A, B)])
  assert.deepEqual(open(repo), [2])
})

test('marks are trusted only if they are of the log as it is', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  const [log, mark] = ['log', 'unsettled'].map(name => join(scratch.dir, '.git/deptool', name, 'web1'))
  await addOutcomes(repo, WEB1, [record(1, 'held', null, A)])
  // As a build does that knows nothing of marks.
  appendFileSync(log!, `${JSON.stringify(record(2, 'unknown', A, B))}\n`)
  assert.deepEqual(open(repo), [2])
  // As one does that removes what it takes for the mark of an open end.
  rmSync(mark!)
  assert.deepEqual(open(repo), [2])
  assert.ok(existsSync(mark!), 'it is made again')
  writeFileSync(mark!, '')
  assert.deepEqual(open(repo), [2])
  const { sizes } = JSON.parse(readFileSync(mark!, 'utf8'))
  writeFileSync(mark!, JSON.stringify({ format: 2, sizes, open: [] }))
  assert.deepEqual(open(repo), [2], 'a newer one')
  writeFileSync(mark!, JSON.stringify({ format: 1, sizes, open: [] }))
  assert.deepEqual(open(repo), [], 'or else it would not be of use')
})

test('lines of a newer build are kept and skipped', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  const log = join(scratch.dir, '.git/deptool/log/web1')
  await addOutcomes(repo, WEB1, [record(1)])
  const strange = [
    { ...record(2), outcome: 'postponed' },
    { ...record(3, 'unknown'), format: 2 },
  ].map(line => `${JSON.stringify(line)}\n`)
  appendFileSync(log, strange.join(''))
  await addOutcomes(repo, WEB1, [record(4)])
  assert.deepEqual(readKnownOutcomes(repo, WEB1), [record(1), record(4)])
  assert.deepEqual(open(repo), [])
  assert.ok(readFileSync(log, 'utf8').includes(strange.join('')))
})

test('two processes that record at the same time, and a log that has grown too long, leave no end unseen', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  for (let round = 1; round < 50; round++) {
    await Promise.all([
      addOutcomes(repo, WEB1, [record(round, 'undone')]),
      addOutcomes(repo, WEB1, [record(round + 1, 'unknown')]),
    ])
    assert.deepEqual(open(repo), [round + 1])
    await addOutcomes(repo, WEB1, [record(round + 1, 'undone')])
    assert.deepEqual(open(repo), [])
  }
  await addOutcomes(repo, WEB1, [record(51, 'unknown')])
  const log = join(scratch.dir, '.git/deptool/log/web1')
  writeFileSync(log, `${'x'.repeat(300 * 1024)}\n${readFileSync(log, 'utf8')}`)
  await addOutcomes(repo, WEB1, [record(52, 'refused')])
  assert.deepEqual(open(repo), [51])
})

test('an end that is not known or damaged is seen, however much was said of it, and however much came after', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  const log = join(scratch.dir, '.git/deptool/log/web1')
  const long = {
    ...record(1, 'damaged', B, C),
    why: `${'"id":"x","from":null,"outcome":"held" '.repeat(40_000)}`,
  }
  await addOutcomes(repo, WEB1, [long])
  assert.deepEqual(open(repo), [1])
  // As it stands in logs that were written before reasons had a limit.
  writeFileSync(log, `${JSON.stringify(long)}\n`)
  await addOutcomes(repo, WEB1, [record(1, 'refused', B, C)])
  assert.deepEqual(open(repo), [1])
  const older = Array.from({ length: 200 }, (_, i) => ({
    ...record(0, 'held', A, B),
    id: `20261122T${String(100_000 + i)}-3f9a1c0b7e` as DeploymentId,
  }))
  await addOutcomes(repo, WEB1, older)
  assert.deepEqual(open(repo), [1], 'what a sync has brought is older')
})

test('a reason is kept as far as anybody reads it', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  await addOutcomes(repo, WEB1, [{ ...record(1, 'damaged'), why: '🙂'.repeat(100_000) }])
  const [known] = readKnownOutcomes(repo, WEB1)
  assert.match(known!.why, /^(🙂)+…$/u)
  assert.ok(known!.why.length <= 2000)
})
