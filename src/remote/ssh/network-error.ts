/** Why a host could not be reached, in the words of an operator. */

import { printable } from '../clean.ts'
import { HostError } from '../transport.ts'
import type { SshAddress } from './address.ts'

/** From an error of node:net or node:dns. */
export function networkError(address: SshAddress, error: unknown): HostError {
  const { host, hostname, port } = address
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const there = hostname.includes(':') ? `[${hostname}]:${port}` : `${hostname}:${port}`
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) {
    const hint = `run 'git config deptool-host.${host}.url ssh://root@<address>' to set the host's address`
    return new HostError(host, 'unresolved', `cannot find '${hostname}': no such host`, hint, error)
  }
  if (code === 'ECONNREFUSED') {
    const hint = 'check that sshd is running on the host, and on this port'
    return new HostError(host, 'refused', `cannot connect to '${there}': connection refused`, hint, error)
  }
  return new HostError(host, 'unreachable', `cannot connect to '${there}': ${why(error)}`, undefined, error)
}

/** An address that the user's configuration leaves out. */
export function wrongFamily({ host, hostname, family }: SshAddress): HostError {
  const allowed = family === 4 ? 'inet' : 'inet6'
  return new HostError(
    host,
    'unreachable',
    `cannot connect to '${hostname}': the SSH configuration says 'AddressFamily ${allowed}'`,
  )
}

/** What an error of node or ssh2 means, where there is a word for it. */
export function why(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error))
  const code = 'code' in error ? String(error.code) : ''
  return WORDS[code] ?? WORDS[error.message] ?? printable(error.message)
}

const WORDS: Readonly<Record<string, string>> = {
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: "no route to the host's network",
  EHOSTDOWN: 'the host is down',
  ECONNRESET: 'the host closed the connection',
  EPIPE: 'the host closed the connection',
  'Connection lost before handshake': 'the host closed the connection before the SSH handshake',
  'Keepalive timeout': 'the host no longer answers',
}
