import assert from 'node:assert/strict'
import { test } from 'node:test'
import picocolors from 'picocolors'
import type { HostName, UnitName } from '../../../src/plan/names.ts'
import type { HostEnd } from '../../../src/rollout/events.ts'
import { causeLines } from '../../../src/terminal/text/cause-lines.ts'
import { causesOf } from '../../../src/terminal/text/causes.ts'
import { explain } from '../../../src/terminal/text/ends.ts'

function lines(ends: Readonly<Record<string, HostEnd>>, columns: number | null = null): string[] {
  const causes = causesOf(Object.entries(ends).map(([host, end]) => [host as HostName, end] as const))
  return causes.flatMap(cause => causeLines(cause, columns, picocolors.createColors(false)))
}

const unreachable = (message: string, hint: string | null = null): HostEnd => ({
  kind: 'unreachable',
  message,
  hint,
})

const undone = (log: readonly string[], unit = 'web.service'): HostEnd => ({
  kind: 'undone',
  failure: {
    step: 3,
    message: `${unit} exited with 1`,
    units: [{ unit: unit as UnitName, state: 'exited with 1', log }],
  },
  leftovers: [],
})

test('what differs only by name and address is one cause', () => {
  assert.deepEqual(
    lines({
      web1: unreachable("cannot connect to '192.0.2.1:22': connection refused", 'is sshd running on web1?'),
      db1: { kind: 'held' },
      web2: unreachable("cannot connect to '192.0.2.2:22': connection refused", 'is sshd running on web2?'),
      web11: unreachable(
        "cannot connect to '[2001:db8::1]:22': connection refused",
        'is sshd running on web11?',
      ),
      web3: unreachable("cannot connect to 'web3:22': no answer"),
    }),
    [
      "web1, web2, web11: cannot connect to '<host>:22': connection refused",
      'hint: is sshd running on <host>?',
      "web3: cannot connect to 'web3:22': no answer",
    ],
  )
})

test('a name within another is not taken for it', () => {
  assert.deepEqual(lines({ web: unreachable('my-web is down'), web1: unreachable('my-web is down') }), [
    'web, web1: my-web is down',
  ])
})

test('fingerprints stay apart', () => {
  assert.equal(lines({ a: unreachable('key SHA256:abc'), b: unreachable('key SHA256:abd') }).length, 2)
})

test('a log is the same but for its numbers, and is shown once', () => {
  assert.deepEqual(
    lines({
      web1: undone(['2026/11/23 10:00:00 [emerg] 31#31: unknown directive']),
      web2: undone(['2026/11/23 10:00:01 [emerg] 97#97: unknown directive']),
      web3: undone(['no space left']),
    }),
    [
      'web1, web2: rolled back: web.service exited with 1',
      'on web1:',
      '  2026/11/23 10:00:00 [emerg] 31#31: unknown directive',
      'web3: rolled back: web.service exited with 1',
      '  no space left',
    ],
  )
})

test('many hosts are counted', () => {
  const ends = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`web${i}`, unreachable('no answer')]))
  assert.match(lines(ends).join('\n'), /^web0, web1, .*, web19 and 30 more: no answer$/)
})

test('on a screen, lines are folded, and a page in one line is cut', () => {
  assert.deepEqual(lines({ web1: undone([`error: ${'blah '.repeat(60)}`]) }, 80), [
    'web1: rolled back: web.service exited with 1',
    `  error: ${'blah '.repeat(14).trim()}`,
    `    ${'blah '.repeat(15).trim()}`,
    `    ${'blah '.repeat(15).trim()} …`,
  ])
  const narrow = lines(
    { web1: undone(['directive "access_log" is not terminated by ";" in /etc/nginx/nginx.conf:13']) },
    24,
  )
  assert.match(narrow.at(-1)!, /:13$/, 'as much is shown as on a wide screen')
})

test('what hosts say cannot drive the terminal', () => {
  const all = lines({
    web1: undone(['\x1b[2Jgone\x07', '\u202egpj']),
    web2: unreachable('\x1b]0;title\x07x'),
  })
  assert.deepEqual(all.slice(1), ['  gone', '  gpj', 'web2: x'])
})

test('what did not go back is not said twice', () => {
  const why = 'systemctl restart a.service: Connection refused'
  const failure = { step: null, message: why, units: [] }
  const host = 'web1' as HostName
  assert.deepEqual(explain({ kind: 'undone', failure, leftovers: [why] }, host), {
    headline: `rolled back: ${why}`,
    body: [],
  })
  assert.deepEqual(explain({ kind: 'undone', failure, leftovers: ['a link'] }, host)?.body, [
    { kind: 'fact', text: 'not restored: a link' },
  ])
})
