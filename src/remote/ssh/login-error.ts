/** Why a login by ssh2 did not succeed. */

import { printable } from '../clean.ts'
import { HostError } from '../transport.ts'
import type { SshAddress } from './address.ts'
import type { LoginKeys } from './keys.ts'
import { networkError } from './network-error.ts'
import { Dropped } from './retry.ts'

/** What was seen of a login until it failed. */
export interface LoginFacts {
  /** The key exchange is over. */
  encrypted: boolean
  /** What the host would still take. */
  methods: readonly string[]
  /** It took a key, and wants one of the methods as well. */
  partial: boolean
  hostKeyError: unknown
  /** Keys that the host would take and that we could not unlock, in words. */
  readonly locked: string[]
}

/** HostError; or Dropped, which may be tried again. */
export function loginError(error: Error, address: SshAddress, keys: LoginKeys, facts: LoginFacts): Error {
  const level = 'level' in error ? error.level : undefined
  const words = printable(error.message)
  if (facts.hostKeyError instanceof Error) return facts.hostKeyError
  if (level === 'client-authentication') return refused(address, keys, facts)
  if (/no matching/i.test(words)) {
    return new HostError(address.host, 'unsupported', `cannot agree with the host on encryption: ${words}`)
  }
  // A farewell from the host, RFC 4253, 11.1: a number, and words.
  if (facts.encrypted && 'code' in error && typeof error.code === 'number') {
    return new HostError(address.host, 'authentication', `${notIn(address)}: ${words}`, FEWER_KEYS)
  }
  const failure = networkError(address, error)
  const final = facts.encrypted || ('code' in error && error.code === 'ETIMEDOUT')
  return final ? failure : new Dropped(failure)
}

const FEWER_KEYS =
  'if ssh-agent holds many keys, select the right one with IdentityFile and IdentitiesOnly in ~/.ssh/config'

function refused(
  address: SshAddress,
  { keys, unusable, exposed }: LoginKeys,
  { locked, methods, partial }: LoginFacts,
): HostError {
  if (partial) return anotherFactor(address, methods)
  if (locked.length > 0) {
    const hint = "run 'ssh-add' to load the key into ssh-agent"
    return new HostError(address.host, 'authentication', `${notIn(address)}: ${locked.join(', ')}`, hint)
  }
  const [file] = exposed
  if (file !== undefined) {
    const why = `'${file}' is not used, because other users can read it`
    return new HostError(
      address.host,
      'authentication',
      `${notIn(address)}: ${why}`,
      `run 'chmod 600 ${file}'`,
    )
  }
  const tried = keys.map(key => `'${printable(key.label)}'`).join(', ')
  const why = tried === '' ? 'there is no key to try' : `the host does not accept ${tried}`
  const kerberos = address.gssapi && methods.some(method => method.startsWith('gssapi'))
  const kind = kerberos || unusable.length > 0 ? 'unsupported' : 'authentication'
  const byHand = ['ssh', ...address.args, address.target].join(' ')
  return new HostError(
    address.host,
    kind,
    `${notIn(address)}: ${why}`,
    `if '${byHand}' works with a password, run '${byHand.replace(/^ssh/, 'ssh-copy-id')}' to install your key`,
  )
}

/** Nobody is asked for one here; a connection that was opened by hand is used. */
export function anotherFactor(address: SshAddress, methods: readonly string[]): HostError {
  const { host, args, target, controlPath } = address
  const byHand = ['ssh -fNM', ...args, target].join(' ')
  const where = controlPath === undefined ? ', with a ControlPath in ~/.ssh/config' : ''
  return new HostError(
    host,
    'authentication',
    `${notIn(address)}: after the key, the host wants another factor (${printable(methods.join(', '))})`,
    `run '${byHand}' first${where}: git-deploy uses this connection as long as it lasts`,
  )
}

function notIn({ user }: SshAddress): string {
  return `cannot log in as '${user}'`
}
