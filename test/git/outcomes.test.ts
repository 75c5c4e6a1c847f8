import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { markedHosts } from '../../src/git/marks.ts'
import {
  addOutcomes,
  type Ending,
  type KnownOutcome,
  lastBegun,
  readKnownOutcomes,
} from '../../src/git/outcomes.ts'
import type { DeploymentId } from '../../src/plan/deployment-id.ts'
import { must, oid } from '../../src/plan/names.ts'
import { host, makeScratch } from './scratch.ts'

const WEB1 = host('web1')

const record = (second: number, outcome: Ending = 'held'): KnownOutcome => ({
  id: `20261123T0745${String(second).padStart(2, '0')}-3f9a1c0b7e` as DeploymentId,
  from: null,
  to: must(oid, 'a'.repeat(40)),
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

test('a host is marked while its last deployment has an end that nobody knows, or was not undone whole', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  const after = async (...records: KnownOutcome[]) => {
    await addOutcomes(repo, WEB1, records)
    return markedHosts(repo)
  }
  assert.deepEqual(markedHosts(repo), [])
  assert.deepEqual(await after(record(1)), [])
  assert.deepEqual(await after(record(2, 'unknown')), [WEB1])
  assert.deepEqual(await after(record(3, 'refused')), [WEB1], 'it never began')
  assert.deepEqual(await after(record(2, 'undone')), [], 'the later word counts')
  assert.deepEqual(await after(record(5), record(4, 'damaged')), [], 'an older one was heard of later')
  assert.deepEqual(await after(record(6, 'damaged')), [WEB1])
  assert.deepEqual(await after(record(7)), [])
})

test('who was refused because another had begun with the same plan does not change how it ended', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  await addOutcomes(repo, WEB1, [record(1, 'refused'), record(1), record(1, 'refused')])
  assert.deepEqual(readKnownOutcomes(repo, WEB1), [record(1)])
  await addOutcomes(repo, WEB1, [record(2, 'damaged'), record(2, 'refused')])
  assert.deepEqual(markedHosts(repo), [WEB1])
  assert.equal(lastBegun(repo, WEB1)?.outcome, 'damaged')
})

test('marks survive two processes that record at the same time, and a log that has grown too long', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  for (let round = 1; round < 50; round++) {
    await Promise.all([
      addOutcomes(repo, WEB1, [record(round)]),
      addOutcomes(repo, WEB1, [record(round + 1, 'unknown')]),
    ])
    assert.deepEqual(markedHosts(repo), [WEB1])
    await addOutcomes(repo, WEB1, [record(round + 1)])
    assert.deepEqual(markedHosts(repo), [])
  }
  await addOutcomes(repo, WEB1, [record(51, 'unknown')])
  const log = join(scratch.dir, '.git/deptool/log/web1')
  writeFileSync(log, `${'x'.repeat(300 * 1024)}\n${readFileSync(log, 'utf8')}`)
  await addOutcomes(repo, WEB1, [record(52, 'refused')])
  assert.deepEqual(markedHosts(repo), [WEB1])
  assert.equal(lastBegun(repo, WEB1)?.outcome, 'unknown')
})

test('an end that is not known or damaged is seen, however much was said of it, and however much came after', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  const log = join(scratch.dir, '.git/deptool/log/web1')
  const long = { ...record(1, 'damaged'), why: `${'"id":"x","outcome":"held" '.repeat(40_000)}` }
  await addOutcomes(repo, WEB1, [long])
  assert.deepEqual(lastBegun(repo, WEB1), { id: long.id, outcome: 'damaged' })
  // As it stands in logs that were written before reasons had a limit.
  writeFileSync(log, `${JSON.stringify(long)}\n`)
  await addOutcomes(repo, WEB1, [record(1, 'refused')])
  assert.deepEqual(lastBegun(repo, WEB1), { id: long.id, outcome: 'damaged' })
  assert.deepEqual(markedHosts(repo), [WEB1])
  const older = Array.from({ length: 200 }, (_, i) => ({
    ...record(0),
    id: `20261122T${String(100_000 + i)}-3f9a1c0b7e` as DeploymentId,
  }))
  await addOutcomes(repo, WEB1, older)
  assert.equal(lastBegun(repo, WEB1)?.outcome, 'damaged', 'what a sync has brought is older')
  assert.deepEqual(markedHosts(repo), [WEB1])
})

test('a reason is kept as far as anybody reads it', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  await addOutcomes(repo, WEB1, [{ ...record(1, 'damaged'), why: '🙂'.repeat(100_000) }])
  const [known] = readKnownOutcomes(repo, WEB1)
  assert.match(known!.why, /^(🙂)+…$/u)
  assert.ok(known!.why.length <= 2000)
})
