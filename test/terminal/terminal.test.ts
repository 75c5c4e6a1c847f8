import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wantsColor } from '../../src/terminal/terminal.ts'
import { wrap } from '../../src/terminal/wrap.ts'

const terminal = { env: {}, isTTY: true }
const pipe = { env: {}, isTTY: false }

test('colour is for terminals, unless something says otherwise', () => {
  assert.equal(wantsColor(null, terminal), true)
  assert.equal(wantsColor(null, pipe), false)
  assert.equal(wantsColor('auto', pipe), false)
  assert.equal(wantsColor('always', pipe), true)
  for (const word of ['never', 'false', 'no', 'off']) assert.equal(wantsColor(word, terminal), false)
})

test('NO_COLOR and a dumb terminal count, but not against what was asked for outright', () => {
  assert.equal(wantsColor(null, { env: { NO_COLOR: '1' }, isTTY: true }), false)
  assert.equal(wantsColor(null, { env: { NO_COLOR: '' }, isTTY: true }), true)
  assert.equal(wantsColor('auto', { env: { TERM: 'dumb' }, isTTY: true }), false)
  assert.equal(wantsColor('always', { env: { NO_COLOR: '1', TERM: 'dumb' }, isTTY: true }), true)
})

test('words wrap at the width, and a long one has its own line', () => {
  assert.deepEqual(wrap(['aa', 'bb', 'cc'], 5), ['aa bb', 'cc'])
  assert.deepEqual(wrap(['a', 'a-long-word', 'b'], 5), ['a', 'a-long-word', 'b'])
  assert.deepEqual(wrap([], 5), [])
})
