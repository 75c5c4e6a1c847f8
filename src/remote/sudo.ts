/** What sudo says when it does not let us in, told apart from an agent that is missing. */
import type { HostName } from '../plan/names.ts'
import { lastLine } from './clean.ts'
import { type Exit, HostError } from './transport.ts'

/** The error, or undefined where sudo was not the trouble. */
export function sudoTrouble(host: HostName, user: string, exit: Exit, stderr: string): HostError | undefined {
  if (user === 'root' || exit.kind !== 'exited' || exit.code === 0) return undefined
  if (/sudo[^\n]*not found/i.test(stderr) && exit.code === 127) {
    return new HostError(
      host,
      'sudo',
      `cannot become root as '${user}': sudo is not installed`,
      asRootInstead(host),
    )
  }
  const words = stderr.split('\n').find(line => REFUSED.test(line))
  if (words === undefined) return undefined
  const why = PASSWORD.test(words) ? 'sudo needs a password' : lastLine(words)
  return new HostError(
    host,
    'sudo',
    `cannot become root as '${user}': ${why}`,
    // sudo passes over files with a dot in their name.
    `run as root on the host: echo '${user} ALL=(root) NOPASSWD: ALL' >/etc/sudoers.d/${user.replaceAll('.', '_')}`,
  )
}

/** sudo looks for the program first, and says so in these words: then it is the agent that is missing. */
export const SUDO_FINDS_NOTHING = /^sudo: [^\n]*: command not found$/m

const PASSWORD = /password is required|a terminal is required|no tty present/i
const REFUSED =
  /password is required|a terminal is required|no tty present|not in the sudoers|not allowed to (?:execute|run)|may not run sudo|must have a tty|account validation|^sudo: (?!.*command not found)/i

function asRootInstead(host: HostName): string {
  return `install sudo on the host, or log in as root: run 'git config deptool-host.${host}.url ssh://root@${host}'`
}
