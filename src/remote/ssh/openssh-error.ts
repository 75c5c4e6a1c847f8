/** What the ssh program says when it cannot log in, as a HostError. */

import { lastLine } from '../clean.ts'
import { HostError, type HostErrorKind } from '../transport.ts'
import type { SshAddress } from './address.ts'
import { anotherFactor } from './login-error.ts'
import { Dropped } from './retry.ts'

/**
 * HostError; or Dropped, which may be tried again. In ssh's own words, which its users know: the last that are a cause.
 * That a connection was closed is what follows from one, such as a jump host that cannot be reached.
 */
export function opensshError(address: SshAddress, stderr: string): Error {
  const [, methods] = /Permission denied \(([\w,-]+)\)/.exec(stderr) ?? []
  // Keys were tried, as always: a host that would take another one says so.
  const tried = !address.opensshOnly.includes('pubkeyauthentication')
  if (methods !== undefined && tried && !methods.split(',').includes('publickey'))
    return anotherFactor(address, methods.split(','))
  const [, kind, verb] = KINDS.find(([pattern]) => pattern.test(stderr)) ?? [
    undefined,
    'unreachable',
    'connect',
  ]
  const causes = stderr.split('\n').filter(line => !SYMPTOM.test(line))
  const cause = lastLine(causes.join('\n'))
  const reason = lastLine(causes.filter(line => !VERDICT.test(line)).join('\n'))
  const words = reason || cause || lastLine(stderr) || 'ssh ended without a message'
  const error = new HostError(address.host, kind, `cannot ${verb}: ${words}`, hintFor(kind, address))
  return cause === '' && DROPPED.test(stderr) ? new Dropped(error) : error
}

const KINDS: readonly (readonly [RegExp, HostErrorKind, string])[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED|REVOKED HOST KEY|revoked by file/,
    'changed-host-key',
    'trust the host',
  ],
  [/Host key verification failed|No .* host key is known/, 'unknown-host-key', 'trust the host'],
  [/Could not resolve hostname/, 'unresolved', 'find the host'],
  [/Permission denied \(|Too many authentication failures|passphrase/, 'authentication', 'log in'],
  [/Connection refused/, 'refused', 'connect'],
  [/ENOENT/, 'unsupported', 'run ssh'],
]

// Before sshd said who it is, ssh 9 names this place; beyond MaxStartups it gets no further.
const SYMPTOM =
  /^(?:kex_exchange_identification: |Connection (?:closed|reset) by |Connection (?:to \S+ port \d+ )?timed out during banner|banner exchange: |stdio forwarding failed|Warning: |\*\* )/

/** What follows from the line before it, if there is one. */
const VERDICT = /^Host key verification failed/

const DROPPED = /kex_exchange_identification|Connection reset by peer|Exceeded MaxStartups/

function hintFor(kind: HostErrorKind, { args, target }: SshAddress): string | undefined {
  const byHand = ['ssh', ...args, target].join(' ')
  if (kind === 'unknown-host-key') return `connect once by hand with '${byHand}', and compare the fingerprint`
  if (kind === 'changed-host-key')
    return `someone may be intercepting the connection; for details, run '${byHand}'`
  if (kind === 'authentication') return `make '${byHand}' log in without a question`
  return undefined
}
