import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cutTo, fold, padTo, widthOf } from '../../src/terminal/width.ts'

test('width is counted in columns', () => {
  assert.equal(widthOf('nginx'), 5)
  assert.equal(widthOf('größe'), 5)
  assert.equal(widthOf('gro\u0308ße'), 5)
  assert.equal(widthOf('世界'), 4)
  assert.equal(widthOf('🚀'), 2)
  assert.equal(widthOf('ﾊﾝｶｸ'), 4)
  assert.equal(widthOf('Ｗ'), 2)
})

test('what is too wide is cut, never in the middle of a wide character', () => {
  assert.equal(cutTo('nginx', 5), 'nginx')
  assert.equal(cutTo('nginx', 4), 'ngi…')
  assert.equal(cutTo('世界世界', 6), '世界…')
  assert.equal(cutTo('世界世界', 8), '世界世界')
  assert.equal(cutTo('a', 0), '')
  assert.equal(padTo('世界', 6), '世界  ')
})

test('text folds between words, long words anywhere, and keeps its indentation', () => {
  assert.deepEqual(fold('one two three', 7), ['one two', 'three'])
  assert.deepEqual(fold('abcdefgh', 3), ['abc', 'def', 'gh'])
  assert.deepEqual(fold('  indented text', 10), ['  indented', 'text'])
  assert.deepEqual(fold('世界世界', 5), ['世界', '世界'])
  assert.deepEqual(fold('', 5), [''])
})
