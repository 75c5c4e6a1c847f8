/** A login shell that prints something before the program does, which then cannot be understood. */
import type { HostName } from '../plan/names.ts'
import { firstLine } from './clean.ts'
import { HostError } from './transport.ts'

/** What nologin(8) says where there is no /etc/nologin.txt. */
const NOLOGIN = /^This account is currently not available/

export function noise(host: HostName, user: string, text: string): HostError {
  if (NOLOGIN.test(text))
    return new HostError(
      host,
      'authentication',
      `the login shell of '${user}' does not allow logins: '${firstLine(text)}'`,
      `give '${user}' another login shell on the host (chsh), or log in as another user: run 'git config deptool-host.${host}.url ssh://root@${host}'`,
    )
  const home = user === 'root' ? '/root' : `~${user}`
  return new HostError(
    host,
    'noise',
    `the login shell of '${user}' prints to stdout: '${firstLine(text)}'`,
    `make ${home}/.bashrc (or .zshenv, .config/fish/config.fish, .ssh/rc) silent without a terminal: 'ssh ${host} true' must print nothing`,
  )
}
