/** Why a host could not be reached, in the words of an operator. */
import type { SshAddress } from './address.ts'
import { printable } from './clean.ts'
import { HostError } from './transport.ts'

/** From an error of node:net or node:dns. */
export function networkError(address: SshAddress, error: unknown): HostError {
  const { host, hostname, port } = address
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const there = hostname.includes(':') ? `[${hostname}]:${port}` : `${hostname}:${port}`
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) {
    const hint = `git config deptool-host.${host}.url ssh://root@<address> says where it is`
    return new HostError(host, 'unresolved', `cannot find '${hostname}': no such host`, hint, error)
  }
  if (code === 'ECONNREFUSED') {
    const hint = 'is sshd running there, and on that port?'
    return new HostError(host, 'refused', `cannot connect to '${there}': connection refused`, hint, error)
  }
  const why = WORDS[code] ?? printable(error instanceof Error ? error.message : String(error))
  return new HostError(host, 'unreachable', `cannot connect to '${there}': ${why}`, undefined, error)
}

const WORDS: Readonly<Record<string, string>> = {
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to its network',
  EHOSTDOWN: 'the host is down',
  ECONNRESET: 'the host hung up',
  EPIPE: 'the host hung up',
}
