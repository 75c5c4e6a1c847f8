import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { Fatal } from '../../src/errors.ts'
import { ask } from '../../src/terminal/prompt.ts'
import { makeTerminal } from '../../src/terminal/terminal.ts'

function makeScreen({ isTTY = true } = {}) {
  let shown = ''
  const stdin = Object.assign(new PassThrough(), { isTTY })
  const output = {
    isTTY,
    write: (text: string) => {
      shown += text
    },
  }
  const listeners = new Set<() => void>()
  const onInterrupt = (listener: () => void) => {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }
  const terminal = makeTerminal(
    { stdin, stdout: output, stderr: output, onInterrupt, onStop: onInterrupt },
    {},
  )
  let diffs = 0
  return {
    stdin,
    listeners,
    answer: () => ask('Apply?', async () => ++diffs, terminal),
    shown: () => shown,
    diffs: () => diffs,
    interrupt: () => {
      for (const listener of listeners) listener()
    },
  }
}

for (const [typed, expected] of [
  ['y\n', 'yes'],
  ['YES \n', 'yes'],
  ['n\n', 'no'],
  ['q\n', 'no'],
  ['\n', 'no'],
] as const)
  test(`${JSON.stringify(typed)} means ${expected}`, async () => {
    const screen = makeScreen()
    const answer = screen.answer()
    screen.stdin.write(typed)
    assert.equal(await answer, expected)
    assert.equal(screen.shown(), 'Apply? [y/N/d] ')
    assert.equal(screen.listeners.size, 0)
  })

test('the end of the input means no, and leaves the cursor on a line of its own', async () => {
  const screen = makeScreen()
  const answer = screen.answer()
  screen.stdin.end()
  assert.equal(await answer, 'no')
  assert.equal(screen.shown(), 'Apply? [y/N/d] \n')
})

test('a line without its end is no answer', async () => {
  const screen = makeScreen()
  const answer = screen.answer()
  screen.stdin.end('y')
  assert.equal(await answer, 'no')
})

test('Ctrl-C means no', async () => {
  const screen = makeScreen()
  const answer = screen.answer()
  screen.interrupt()
  assert.equal(await answer, 'no')
  assert.equal(screen.listeners.size, 0)
})

test('d shows the diff and asks again; what was typed ahead does not answer', async () => {
  const screen = makeScreen()
  const answer = screen.answer()
  screen.stdin.write('d\ny\n')
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(screen.diffs(), 1)
  screen.stdin.write('n\n')
  assert.equal(await answer, 'no')
})

test('anything else explains the answers', async () => {
  const screen = makeScreen()
  const answer = screen.answer()
  screen.stdin.write('what?\n')
  await new Promise(resolve => setImmediate(resolve))
  assert.match(screen.shown(), /y - deploy\nn, q - do not deploy\nd - show the full diff/)
  screen.stdin.write('y\n')
  assert.equal(await answer, 'yes')
})

test('nobody is asked where nobody can answer', async () => {
  await assert.rejects(
    makeScreen({ isTTY: false }).answer(),
    (error: Fatal) =>
      error instanceof Fatal &&
      error.message === 'cannot ask for confirmation: not a terminal' &&
      error.exitCode === 1 &&
      /--yes/.test(error.hint ?? ''),
  )
})
