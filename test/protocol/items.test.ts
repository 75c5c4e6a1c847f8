/** The limit on what a frame may hold: without it 15 MiB of empty maps take a gigabyte. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Packr } from 'msgpackr'
import { decodeReplyBytes } from '../../src/protocol/codec.ts'
import { ProtocolError } from '../../src/protocol/decoders.ts'
import { hasAtMost } from '../../src/protocol/items.ts'

const packr = new Packr({ useRecords: false })

const LONG = 'x'.repeat(70_000)
for (const [what, value, items] of [
  ['a value', 1, 1],
  ['numbers of every size', [0, -1, 200, -100, 70_000, -70_000, 2 ** 40, -(2 ** 40), 1.5, 10n ** 18n], 11],
  ['strings of every size', ['', 'x', 'x'.repeat(40), 'x'.repeat(300), LONG], 6],
  ['bytes of every size', [new Uint8Array(0), new Uint8Array(300), new Uint8Array(70_000)], 4],
  ['lists of every size', [[], Array(20).fill(null), Array(70_000).fill(true)], 4 + 20 + 70_000],
  ['a map', { a: 1, b: { c: null } }, 7],
  ['a map of many', Object.fromEntries(Array.from({ length: 40_000 }, (_, i) => [`k${i}`, i])), 80_001],
  ['a moment', new Date(0), 1],
] as const)
  test(`${what}: ${items} items`, () => {
    const bytes = packr.pack(value)
    assert.equal(hasAtMost(items, bytes), true)
    assert.equal(hasAtMost(items - 1, bytes), false)
  })

test('a frame that is cut off anywhere is counted to its end', () => {
  const bytes = packr.pack(['x'.repeat(40), 2 ** 40, new Uint8Array(300)])
  for (let at = 0; at <= bytes.length; at++) assert.equal(hasAtMost(100, bytes.subarray(0, at)), true)
})

test('15 MiB of empty maps are refused in the memory that they came in', () => {
  // An array of 2^24 - 1 items, each an empty map.
  const bytes = Buffer.concat([
    Buffer.from([0xdd, 0x00, 0xef, 0xff, 0xff]),
    Buffer.alloc(15 * 1024 * 1024, 0x80),
  ])
  const before = process.memoryUsage().heapUsed
  assert.throws(
    () => decodeReplyBytes(bytes),
    (error: Error) => {
      assert.ok(error instanceof ProtocolError)
      assert.equal(error.message, `a frame of ${bytes.length} bytes contains more than 1000000 items`)
      return true
    },
  )
  const grown = (process.memoryUsage().heapUsed - before) / 1024 / 1024
  assert.ok(grown < 50, `${grown} MiB`)
})
