/** A login shell that prints something before the program does, which then cannot be understood. */
import type { HostName } from '../plan/names.ts'
import { firstLine } from './clean.ts'
import { HostError } from './transport.ts'

/** What nologin(8) says where there is no /etc/nologin.txt. */
const NOLOGIN = /^This account is currently not available/

/** sshd's words for a user whose only program is internal-sftp. */
const SFTP_ONLY = /^This service allows sftp connections only/

export function noise(host: HostName, user: string, text: string): HostError {
  if (NOLOGIN.test(text))
    return new HostError(
      host,
      'authentication',
      `the login shell of '${user}' does not allow logins: '${firstLine(text)}'`,
      `give '${user}' another login shell on the host (chsh), or log in as another user: run 'git config deptool-host.${host}.url ssh://root@${host}'`,
    )
  if (SFTP_ONLY.test(text))
    return new HostError(
      host,
      'authentication',
      `cannot run programs as '${user}': the host allows file transfers only: '${firstLine(text)}'`,
      `log in as another user: run 'git config deptool-host.${host}.url ssh://<user>@${host}'`,
    )
  const home = user === 'root' ? '/root' : `~${user}`
  return new HostError(
    host,
    'noise',
    `the login shell of '${user}' prints to stdout: '${firstLine(text)}'`,
    `make ${home}/.bashrc (or .zshenv, .config/fish/config.fish, .ssh/rc) silent without a terminal: 'ssh ${host} true' must print nothing`,
  )
}
