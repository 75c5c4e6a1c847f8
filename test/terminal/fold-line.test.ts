import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldLine } from '../../src/terminal/fold-line.ts'

test('a line is broken between words, and what follows is further in', () => {
  assert.deepEqual(foldLine('fits', 4), ['fits'])
  assert.deepEqual(foldLine('fatal: rolled back on web1', 17), ['fatal: rolled', '  back on web1'])
  assert.deepEqual(foldLine('web1  cannot connect to it', 20), ['web1  cannot connect', '  to it'])
  assert.deepEqual(foldLine('    one two three', 12), ['    one two', '      three'])
})

test('what is quoted stays in one piece, and so does what is longer than the screen', () => {
  const command = "'git deploy forget web1'"
  assert.deepEqual(foldLine(`hint: or ${command}, too`, 20), ['hint: or', `  ${command},`, '  too'])
  assert.deepEqual(foldLine("the host's own words", 12), ["the host's", '  own words'])
  assert.deepEqual(foldLine('in /var/lib/deptool/apps now', 10), ['in', '  /var/lib/deptool/apps', '  now'])
})

test('a command to type is left to the terminal', () => {
  for (const line of ['hint: git deploy prod --limit web1', 'usage: git deploy [<options>] [<cluster>]'])
    assert.deepEqual(foldLine(line, 20), [line])
})

test('colours take no room', () => {
  assert.deepEqual(foldLine('\x1b[31mone two\x1b[39m', 7), ['\x1b[31mone two\x1b[39m'])
  assert.deepEqual(foldLine('\x1b[31mone two\x1b[39m', 6), ['\x1b[31mone', '  two\x1b[39m'])
})
