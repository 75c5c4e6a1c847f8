import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { addOutcomes, type KnownOutcome, readOutcomes } from '../../src/git/outcomes.ts'
import { must, oid } from '../../src/plan/names.ts'
import { host, makeScratch } from './scratch.ts'

const WEB1 = host('web1')

const record = (second: number): KnownOutcome => ({
  id: `20261123T0745${String(second).padStart(2, '0')}-3f9a1c0b7e`,
  from: null,
  to: must(oid, 'a'.repeat(40)),
  operator: 'Ada <ada@example.org>',
  at: second,
  ms: 1,
  subject: null,
  outcome: 'held',
  why: '',
})

test('a record that a full disk cut short takes no other with it', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  await addOutcomes(repo, WEB1, [record(1)])
  appendFileSync(join(scratch.dir, '.git/deptool/log/web1'), '{"id":"2026')
  await addOutcomes(repo, WEB1, [record(2), record(3)])
  assert.deepEqual(readOutcomes(repo, WEB1), [record(1), record(2), record(3)])
})
