/** A failed unit's last words: what its program said, or else what systemd knows that the unit's state does not. */
import { decodeUtf8 } from '../../src/plan/bytes.ts'
import type { UnitName } from '../../src/plan/names.ts'
import type { UnitReport } from '../../src/protocol/messages.ts'
import type { Machine } from '../host/machine.ts'

/** The unit's state in words and the lines of its log that matter, since `since` (ms since 1970). */
export function reportUnit(machine: Machine, unit: UnitName, state: string, since: number): UnitReport {
  const ran = machine.run(
    [
      'journalctl',
      '--no-pager',
      '--quiet',
      '--output=json',
      '--output-fields=MESSAGE,SYSLOG_IDENTIFIER',
      `--since=@${Math.floor(since / 1000)}`,
      `--lines=${READ}`,
      // As --unit has it, and what systemd's child says before it is in the unit's cgroup: no such User=.
      ...[`_SYSTEMD_UNIT=${unit}`, '+', `UNIT=${unit}`, '_UID=0', '+', `COREDUMP_UNIT=${unit}`, '_UID=0'],
    ],
    { timeoutMs: 3000 },
  )
  return { unit, state, log: lastWords(ran.stdout, since) }
}

/** journalctl's JSON, an object a line -> the lines that matter, oldest first. */
export function lastWords(journal: string, since: number): string[] {
  // journalctl counts in seconds: a deployment that was undone within this one has spoken too.
  const entries = journal
    .split('\n')
    .flatMap(readEntry)
    .filter(({ at }) => at >= since)
  const program = entries.filter(({ from }) => from !== 'systemd')
  const matter = program.length > 0 ? program : entries.filter(({ message }) => !BOILERPLATE.test(message))
  const lines = matter
    .flatMap(({ message }) => message.split('\n'))
    .map(line => line.trimEnd().slice(0, WIDTH))
    .filter(line => line !== '')
  // A program that is started again and again says the same each time.
  return lines.filter((line, i) => !lines.includes(line, i + 1)).slice(-SHOWN)
}

/** A unit may talk a lot before it says why it ends, and systemd talks in between. */
const READ = 100
const SHOWN = 10
const WIDTH = 500

/** What systemd says of every unit that starts, ends or fails: the unit's state tells it already. */
const BOILERPLATE =
  /^(Start(ing|ed)|Stopp(ing|ed)|Reload(ing|ed)|Finished|Deactivat|Failed to start|Condition) |: (Main process exited|Control process exited|Failed with result|Scheduled restart job|Start request repeated too quickly|Deactivated successfully|Consumed |Succeeded)/

interface Entry {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly from: string
  readonly message: string
}

function readEntry(line: string): Entry[] {
  try {
    const entry = JSON.parse(line) as Record<string, unknown>
    const { MESSAGE } = entry
    const message = Array.isArray(MESSAGE) ? decodeUtf8(Uint8Array.from(MESSAGE)) : MESSAGE
    const at = Number(entry['__REALTIME_TIMESTAMP']) / 1000
    return typeof message === 'string' ? [{ at, from: String(entry['SYSLOG_IDENTIFIER']), message }] : []
  } catch {
    // The end of the output, or an entry cut by the time limit: the others still tell something.
    return []
  }
}
