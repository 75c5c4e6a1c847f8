import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printable, quoted } from '../../src/terminal/clean.ts'

test('text from a host: no escape sequences, no controls, one line', () => {
  assert.equal(printable('\x1b[31mred\x1b[0m'), 'red')
  assert.equal(printable('\x1b]0;title\x07a\x1b]8;;http://x\x1b\\b'), 'ab')
  assert.equal(printable('\x9b2Ja\x1bcb'), 'ab')
  assert.equal(printable('one\r\n\ttwo\x00\x08\x7f'), 'one two')
  assert.equal(printable('a\u202eb\u2066c\u200bd\ufeff'), 'abcd')
  assert.equal(printable('an unfinished \x1b['), 'an unfinished ')
  assert.equal(printable('Grüße, 世界 🌍'), 'Grüße, 世界 🌍')
})

test('paths are quoted as git quotes them, and only where they must be', () => {
  assert.equal(quoted('web1/nginx/a b.conf'), 'web1/nginx/a b.conf')
  assert.equal(quoted('größe.conf'), 'größe.conf')
  assert.equal(quoted('a\tb\n"c"\\'), '"a\\tb\\n\\"c\\"\\\\"')
  assert.equal(quoted('\x1b[2J\x7f'), '"\\033[2J\\177"')
  assert.equal(quoted('\u202egpj'), '"\\342\\200\\256gpj"')
})

test('a flood of what begins and never ends is cut before it is cleaned', () => {
  const started = performance.now()
  for (const flood of ['\x90', '\x1b]', '\x9b0', '\x1b[', 'x', '\u202e'])
    assert.ok(printable(flood.repeat(4_000_000)).length <= 8193)
  assert.ok(performance.now() - started < 20_000)
})
