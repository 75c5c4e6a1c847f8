/** A failed unit's log: what its program printed, or else what systemd says beyond the unit's state. */
import { decodeUtf8 } from '../../src/plan/bytes.ts'
import type { UnitName } from '../../src/plan/names.ts'
import type { UnitReport } from '../../src/protocol/messages.ts'
import type { Machine } from '../host/machine.ts'

/** `since` in milliseconds since 1970. */
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
      // As --unit does, plus what systemd's child says before it is in the unit's cgroup: no such User=.
      ...[`_SYSTEMD_UNIT=${unit}`, '+', `UNIT=${unit}`, '_UID=0', '+', `COREDUMP_UNIT=${unit}`, '_UID=0'],
    ],
    { timeoutMs: 3000 },
  )
  return { unit, state, log: lastWords(ran.stdout, since) }
}

/** `journal` has a JSON object on each line. The oldest line first. */
export function lastWords(journal: string, since: number): string[] {
  // journalctl counts in whole seconds: earlier deployments within this second are included.
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
  // A program that is restarted repeats itself.
  return lines.filter((line, i) => !lines.includes(line, i + 1)).slice(-SHOWN)
}

/** Entries to read: systemd's own are among them. */
const READ = 100
const SHOWN = 10
const WIDTH = 500

/** systemd's entries for each unit that starts, ends or fails, which repeat the unit's state. */
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
    // The end of the output, or an entry that the time limit has cut off.
    return []
  }
}
