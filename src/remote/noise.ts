/** A login shell that prints something before the program does, which then cannot be understood. */
import type { HostName } from '../plan/names.ts'
import { firstLine } from './clean.ts'
import { HostError } from './transport.ts'

export function noise(host: HostName, user: string, text: string): HostError {
  const home = user === 'root' ? '/root' : `~${user}`
  return new HostError(
    host,
    'noise',
    `the login shell of '${user}' prints to stdout: '${firstLine(text)}'`,
    `make ${home}/.bashrc (or .zshenv, .config/fish/config.fish, .ssh/rc) silent where there is no terminal; test with: ssh ${host} true`,
  )
}
