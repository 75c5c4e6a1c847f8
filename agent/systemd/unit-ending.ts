/** How a unit's process ended, in words. */

/** 'exited with 1', 'killed by SIGSEGV'. */
export function endingOf({ result, commands, main }: Ending): string {
  const said = RESULTS[result]
  if (said !== undefined) return said
  const failed = commands.find(({ code, status }) => code !== '' && !(code === 'exited' && status === 0))
  if (failed === undefined && main.code === '') return result === 'success' ? 'ended' : `failed (${result})`
  const { code, status } = failed ?? main
  const who = failed && failed.name !== 'ExecStart' ? `${failed.name} ` : ''
  if (code === 'exited') return `${who}exited with ${status}${step(status)}`
  return `${who}killed by ${SIGNALS[status] ? `SIG${SIGNALS[status]}` : `signal ${status}`}`
}

export interface Ending {
  /** systemd's Result: success, exit-code, signal, timeout, … */
  readonly result: string
  readonly main: Ended
  /** Each of its command lines. */
  readonly commands: readonly EndedCommand[]
}

/** CLD_EXITED, or CLD_KILLED and CLD_DUMPED, sigaction(2); '' if it runs, or never ran. */
interface Ended {
  readonly code: 'exited' | 'killed' | ''
  readonly status: number
}

interface EndedCommand extends Ended {
  readonly name: string
}

/** From the Exec* lines of systemctl(1) `show`. */
export function readCommands(shown: string): EndedCommand[] {
  const pattern = /^(Exec\w+)=\{.* ; code=(\w+) ; status=(\d+)\S* \}$/gm
  return [...shown.matchAll(pattern)].map(([, name = '', code, status]) => ({
    name,
    code: code === 'exited' ? 'exited' : code === 'killed' || code === 'dumped' ? 'killed' : '',
    status: Number(status),
  }))
}

/** From ExecMainCode, which is a CLD_* of sigaction(2), and ExecMainStatus. */
export function readMain(code: string, status: string): Ended {
  return {
    code: code === '1' ? 'exited' : code === '2' || code === '3' ? 'killed' : '',
    status: Number(status) || 0,
  }
}

/** If systemd has ended the process, its status is a consequence. systemd.service(5), $SERVICE_RESULT. */
const RESULTS: Readonly<Record<string, string>> = {
  timeout: 'timed out',
  watchdog: 'killed by its watchdog',
  'oom-kill': 'killed: out of memory',
  'start-limit-hit': 'was started too often',
  protocol: 'ended before it was ready',
}

/** Failures before the program itself is executed, systemd.exec(5), PROCESS EXIT CODES. */
const STEPS: Readonly<Record<number, string>> = {
  200: 'CHDIR',
  203: 'EXEC',
  209: 'STDOUT',
  216: 'GROUP',
  217: 'USER',
  218: 'CAPABILITIES',
  226: 'NAMESPACE',
  238: 'STATE_DIRECTORY',
  243: 'CREDENTIALS',
}

function step(status: number): string {
  return STEPS[status] ? ` (${STEPS[status]})` : ''
}

/** signal(7). The numbers are the same on all platforms of the agent. */
const SIGNALS: Readonly<Record<number, string>> = {
  1: 'HUP',
  2: 'INT',
  3: 'QUIT',
  4: 'ILL',
  5: 'TRAP',
  6: 'ABRT',
  7: 'BUS',
  8: 'FPE',
  9: 'KILL',
  10: 'USR1',
  11: 'SEGV',
  12: 'USR2',
  13: 'PIPE',
  14: 'ALRM',
  15: 'TERM',
  24: 'XCPU',
  25: 'XFSZ',
  31: 'SYS',
}
