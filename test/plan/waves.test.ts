import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Batch, wavesOf } from '../../src/plan/waves.ts'

const sizes = (hosts: number, batch: Batch | null) =>
  wavesOf(
    Array.from({ length: hosts }, (_, i) => i),
    batch,
  ).map(wave => wave.length)

test('so many hosts at a time, in their order', () => {
  assert.deepEqual(wavesOf(['a', 'b', 'c', 'd', 'e'], { hosts: 2 }), [['a', 'b'], ['c', 'd'], ['e']])
  assert.deepEqual(sizes(3, { hosts: 5 }), [3])
  assert.deepEqual(sizes(7, null), [7])
  assert.deepEqual(sizes(0, null), [])
})

test('a percentage is never exceeded, but one host has to begin', () => {
  assert.deepEqual(sizes(10, { percent: 25 }), [2, 2, 2, 2, 2])
  assert.deepEqual(sizes(3, { percent: 50 }), [1, 1, 1])
  assert.deepEqual(sizes(3, { percent: 1 }), [1, 1, 1])
  assert.deepEqual(sizes(3, { percent: 100 }), [3])
})
