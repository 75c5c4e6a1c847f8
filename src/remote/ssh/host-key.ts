/** Whether a host is who it says: its key against the known ones, asking where ssh would ask. */
import { createHash } from 'node:crypto'
import type { HostName } from '../../plan/names.ts'
import { printable } from '../clean.ts'
import { HostError } from '../transport.ts'
import type { Turns } from '../turns.ts'
import type { SshAddress } from './address.ts'
import { addKnownKey, type KnownKey, knownKeys } from './known-hosts.ts'
import { keyType } from './wire.ts'

interface HostKeyQuestion {
  readonly host: HostName
  /** As known_hosts would name it. */
  readonly address: string
  readonly type: string
  /** As ssh shows it: 'SHA256:…'. */
  readonly fingerprint: string
}

/** Asks the operator whether that is the host's key. */
export type ConfirmHostKey = (question: HostKeyQuestion) => Promise<boolean>

/** Resolves where the key may be trusted; one that was not known before has then been added. Rejects with HostError. */
export async function verifyHostKey(
  blob: Buffer,
  address: SshAddress,
  confirm: ConfirmHostKey | undefined,
  questions: Turns,
): Promise<void> {
  if (judge(blob, address) === 'known') return
  // While we waited for our turn, the answer to another question may have made this one needless.
  await questions.take(async () => {
    if (judge(blob, address) === 'unknown') await accept(blob, address, confirm)
  })
}

/** What is known about an address by its name. */
export function keysOf({ hostKeys }: SshAddress): KnownKey[] {
  return knownKeys(hostKeys.name, [...hostKeys.userFiles, ...hostKeys.globalFiles])
}

/** What is known about its name without the port: it counts for every port. */
function portlessKeysOf({ hostKeys }: SshAddress): KnownKey[] {
  const { fallback, userFiles, globalFiles } = hostKeys
  return fallback === undefined ? [] : knownKeys(fallback, [...userFiles, ...globalFiles])
}

/** Whether a certificate may vouch for the host's key. */
export function isCertified(address: SshAddress): boolean {
  return [...keysOf(address), ...portlessKeysOf(address)].some(key => key.marker === 'cert-authority')
}

/**
 * The algorithms to offer, best first. As in ssh, those that a known key can answer come before all others, or a
 * host that also has a key of another type would seem to be unknown.
 */
export function hostKeyAlgorithms(known: readonly KnownKey[], allowed: readonly string[]): string[] {
  const types = new Set(known.filter(key => key.marker === 'none').map(key => key.type))
  const isKnown = (algorithm: string) => types.has(algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm)
  return [...allowed.filter(isKnown), ...allowed.filter(algorithm => !isKnown(algorithm))]
}

/** Throws HostError where the key must not be trusted. */
function judge(blob: Buffer, address: SshAddress): 'known' | 'unknown' {
  const { hostKeys } = address
  const [known, portless] = [keysOf(address), portlessKeysOf(address)]
  const same = (key: KnownKey) => key.blob.equals(blob)
  const revoked = [...known, ...portless].find(key => key.marker === 'revoked' && same(key))
  if (revoked) throw revokedKey(address, revoked)
  const plain = known.filter(key => key.marker === 'none')
  if (plain.some(same)) return 'known'
  // Of whatever type: the known ones were offered first, so a host that has one would have shown it.
  const other = plain.find(key => key.type === keyType(blob)) ?? plain[0]
  if (other && hostKeys.changed === 'accept') return 'known'
  if (other) throw changedKey(blob, address, other)
  return portless.some(key => key.marker === 'none' && same(key)) ? 'known' : 'unknown'
}

async function accept(blob: Buffer, address: SshAddress, confirm: ConfirmHostKey | undefined): Promise<void> {
  const { host, hostKeys } = address
  const type = printable(keyType(blob))
  const question = { host, address: hostKeys.name, type, fingerprint: fingerprint(blob) }
  if (hostKeys.unknown === 'refuse' || (hostKeys.unknown === 'ask' && !confirm))
    throw unknownKey(address, question)
  if (hostKeys.unknown === 'ask' && !(await confirm?.(question))) throw unknownKey(address, question)
  const [file] = hostKeys.userFiles
  if (file === undefined) return
  try {
    addKnownKey(file, hostKeys.name, blob, { hash: hostKeys.hashNames })
  } catch {
    // As ssh: a key that cannot be written down serves this one connection, and the next one asks again.
  }
}

function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`
}

function unknownKey({ host, hostKeys, args, target }: SshAddress, question: HostKeyQuestion): HostError {
  // Where the configuration says 'yes', ssh would refuse it too.
  const asking = hostKeys.unknown === 'refuse' ? ['-o', 'StrictHostKeyChecking=ask'] : []
  return new HostError(
    host,
    'unknown-host-key',
    `cannot trust '${hostKeys.name}': its ${question.type} key is unknown: ${question.fingerprint}`,
    `compare the fingerprint with that of the host's own key, then connect once by hand with '${['ssh', ...asking, ...args, target].join(' ')}'`,
  )
}

function changedKey(blob: Buffer, { host, hostKeys }: SshAddress, known: KnownKey): HostError {
  return new HostError(
    host,
    'changed-host-key',
    `THE HOST KEY OF '${hostKeys.name}' HAS CHANGED: someone may be intercepting the connection, or the host was reinstalled; ` +
      `the key is now ${printable(keyType(blob))} ${fingerprint(blob)}, which differs from ${known.file}:${known.line}`,
    `if you know why it has changed, run 'ssh-keygen -f "${known.file}" -R "${hostKeys.name}"' to remove the old key`,
  )
}

function revokedKey({ host, hostKeys }: SshAddress, known: KnownKey): HostError {
  return new HostError(
    host,
    'changed-host-key',
    `cannot trust '${hostKeys.name}': its key is revoked in ${known.file}:${known.line}`,
  )
}
