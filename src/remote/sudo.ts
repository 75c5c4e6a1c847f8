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
  const lines = stderr.split('\n').filter(line => !BESIDES.test(line))
  const words = lines.find(line => REFUSED.test(line))
  if (words === undefined) return undefined
  const needsTerminal = /must have a tty/i.test(words)
  const why = needsTerminal
    ? "sudo needs a terminal (the setting 'requiretty')"
    : PASSWORD.test(words)
      ? 'sudo needs a password'
      : lastLine(words)
  return new HostError(
    host,
    'sudo',
    `cannot become root as '${user}': ${why}`,
    addRule(needsTerminal ? `Defaults:${user} !requiretty` : `${user} ALL=(root) NOPASSWD: ALL`),
  )
}

/** By visudo, which checks it. At the end of a file that is read last: the last rule that matches counts. */
function addRule(rule: string): string {
  return `run as root on the host: echo '${rule}' | EDITOR='tee -a' visudo -f /etc/sudoers.d/zz-git-deploy`
}

/** What sudo says before the reason: a host that does not know its own name, or a lecture. */
const BESIDES = /unable to resolve host|^sudo: (?:setrlimit|unable to (?:send|stat|open|write))/i

/** sudo looks for the program first, and says so in these words: then it is the agent that is missing. */
export const SUDO_FINDS_NOTHING = /^sudo: [^\n]*: command not found$/m

const PASSWORD = /password is required|a terminal is required|no tty present/i
const REFUSED =
  /password is required|a terminal is required|no tty present|not in the sudoers|not allowed to (?:execute|run)|may not run sudo|must have a tty|account validation|^sudo: (?!.*command not found)/i

function asRootInstead(host: HostName): string {
  return `install sudo on the host, or log in as root: run 'git config deptool-host.${host}.url ssh://root@${host}'`
}
