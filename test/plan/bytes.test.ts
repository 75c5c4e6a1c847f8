import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeUtf8, encodeUtf8, toHex } from '../../src/plan/bytes.ts'

test('text goes to bytes and back as TextEncoder and TextDecoder do it', () => {
  for (const text of [
    '',
    'plain',
    'Grüße, 日本語 🦊',
    '\u0000\u007f\u0080\u07ff\u0800\uffff\u{10ffff}',
    'x'.repeat(9000),
  ]) {
    assert.deepEqual(encodeUtf8(text), new TextEncoder().encode(text))
    assert.equal(decodeUtf8(encodeUtf8(text)), text)
  }
  assert.deepEqual(encodeUtf8('a\ud800b'), new TextEncoder().encode('a\ud800b'))
})

test('bytes that are not UTF-8 are told from text exactly where a strict TextDecoder tells them', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const reference = (bytes: Uint8Array) => {
    try {
      return strict.decode(bytes)
    } catch {
      return undefined
    }
  }
  const interesting = [
    0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef,
    0xf0, 0xf1, 0xf4, 0xf5, 0xff,
  ]
  for (const a of interesting)
    for (const b of interesting)
      for (const c of interesting)
        for (const bytes of [
          [a, b],
          [a, b, c],
          [a, b, c, 0x80],
        ].map(list => Uint8Array.from(list)))
          assert.equal(decodeUtf8(bytes), reference(bytes), toHex(bytes))
})
