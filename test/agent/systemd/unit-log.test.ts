import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lastWords as wordsSince } from '../../../agent/systemd/unit-log.ts'

const AT = 1795420800000
const lastWords = (journal: string) => wordsSince(journal, AT)

const line = (from: string, message: unknown, at = AT) =>
  `${JSON.stringify({ SYSLOG_IDENTIFIER: from, MESSAGE: message, __REALTIME_TIMESTAMP: `${at * 1000}` })}\n`
const journal = (...entries: readonly (readonly [from: string, message: unknown])[]) =>
  entries.map(([from, message]) => line(from, message)).join('')

test('what the program said, without what systemd says around it', () => {
  assert.deepEqual(
    lastWords(
      journal(
        ['systemd', 'Starting a.service - A...'],
        ['nginx', 'unknown directive "nonsense"'],
        ['nginx', 'configuration file test failed'],
        ['systemd', 'a.service: Control process exited, code=exited, status=1/FAILURE'],
        ['systemd', "a.service: Failed with result 'exit-code'."],
      ),
    ),
    ['unknown directive "nonsense"', 'configuration file test failed'],
  )
})

test('of a program that said nothing: what systemd knows beyond the exit status', () => {
  assert.deepEqual(
    lastWords(
      journal(
        ['systemd', 'Started a.service.'],
        ['systemd', 'a.service: Failed to load environment files: No such file or directory'],
        ['systemd', 'a.service: Main process exited, code=exited, status=1/FAILURE'],
        ['systemd', 'Failed to start a.service - A.'],
      ),
    ),
    ['a.service: Failed to load environment files: No such file or directory'],
  )
})

test('a program that is restarted says the same once; of many lines the last ten', () => {
  const again = ['a', 'cannot bind'] as const
  assert.deepEqual(lastWords(journal(again, ['a', 'retrying'], again, again)), ['retrying', 'cannot bind'])
  const many = Array.from({ length: 30 }, (_, i) => ['a', `line ${i}`] as const)
  assert.deepEqual(
    lastWords(journal(...many)),
    many.slice(-10).map(([, line]) => line),
  )
})

test('bytes, several lines in one entry, and an output that was cut', () => {
  const bytes = [...new TextEncoder().encode('caf\u00e9\x1b[31m')]
  const cut = '{"MESSAGE":"cu'
  assert.deepEqual(lastWords(`${journal(['a', bytes], ['a', 'one\n\n  two\n'])}${cut}`), [
    'café\x1b[31m',
    'one',
    '  two',
  ])
  assert.deepEqual(lastWords(''), [])
})

test('what was said before the deployment began, even in the same second, is not about it', () => {
  assert.deepEqual(lastWords(line('a', 'goodbye', AT - 1) + line('a', 'hello', AT)), ['hello'])
})
