import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { inspectRecorded } from '../delivery/inspect-recorded.ts'
import { EXIT, type ExitCode, Fatal } from '../errors.ts'
import { isSound } from '../inspected.ts'
import { readRecorded } from '../planning/cluster-hosts.ts'
import { printable } from '../terminal/clean.ts'
import { verifyRecord } from '../terminal/json/hosts.ts'
import { clockNotes } from '../terminal/text/clock.ts'
import { driftLines } from '../terminal/text/drift.ts'

/** `git deploy verify`: asks each host whether it still is as it was deployed. */
export async function verify(command: CommandOf<'verify'>, context: Context): Promise<ExitCode> {
  const recorded = await readRecorded(command, context)
  const { terminal } = context
  const { hosts, config, cluster } = recorded
  if (hosts.length === 0) {
    terminal.out(`nothing has been deployed to '${cluster.name}'`)
    return EXIT.done
  }
  const inspected = await inspectRecorded(recorded, context)

  const colors = terminal.colors(command.color ?? config.color)
  const noteColors = terminal.noteColors(command.color ?? config.color)
  const commits = new Map(hosts.map(({ host, commit }) => [host, commit]))
  for (const one of inspected) {
    context.emit(verifyRecord(one, commits.get(one.host)!))
    if (one.kind === 'asked')
      for (const line of driftLines(one, commits.get(one.host)!, colors)) terminal.say(line)
    else {
      terminal.note(noteColors.red(`${one.host}  cannot be checked: ${printable(one.message)}`))
      if (one.hint !== null) terminal.note(`hint: ${printable(one.hint)}`)
    }
  }
  const asked = inspected.flatMap(one => (one.kind === 'asked' ? [one] : []))
  for (const note of clockNotes(new Map(asked.map(one => [one.host, one.aheadMs])))) terminal.note(note)
  // Drift that was found is certain, whatever the other hosts would have answered.
  if (asked.some(one => !isSound(one, commits.get(one.host)!))) return EXIT.pending
  const silent = inspected.flatMap(({ host, kind }) => (kind === 'asked' ? [] : [host]))
  if (silent.length === 0) return EXIT.done
  throw new Fatal(`cannot verify ${silent.join(', ')}`)
}
