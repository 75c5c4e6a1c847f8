import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { readHostCommits } from '../git/host-commits.ts'
import { heldSince } from '../git/outcomes.ts'
import { planOffline } from '../planning/plan-tree.ts'
import { byHostsClock } from '../terminal/text/clock.ts'
import { nameOf } from '../terminal/text/plan.ts'
import { hostStatuses, renderPorcelain, renderStatus, statusRecord } from '../terminal/text/status.ts'
import { takenBackLines } from '../terminal/text/taken-back.ts'
import { remedies } from '../terminal/text/unsettled.ts'

/** `git deploy status`: what each host runs, as far as this repository knows, and whether that is what it should. */
export async function status(command: CommandOf<'status'>, context: Context): Promise<ExitCode> {
  const { cluster, selection } = command
  const planned = await planOffline({ cluster, rev: null, selection }, context)
  const { repo, config, plan, hosts, tracking } = planned
  const tracked = [...hosts, ...plan.vanished].flatMap(host => tracking.get(host) ?? [])
  const commits = new Map(tracked.map(({ host, commit }) => [host, commit]))
  const said = await readHostCommits(repo, [...commits.values()])
  const deployed = new Map(
    tracked.flatMap(({ host, commit }) => {
      const known = said.get(commit)
      return known
        ? [[commit, byHostsClock(known, heldSince(repo, host, commit), context.now())] as const]
        : []
    }),
  )
  const statuses = hostStatuses({ plan, hosts, commits, deployed })
  const { terminal } = context
  for (const status of statuses) context.emit(statusRecord(plan.cluster, status))
  const look = { colors: terminal.colors(command.color ?? config.color), abbrev: config.abbrev }
  const lines = command.porcelain ? renderPorcelain(statuses) : renderStatus(plan.cluster, statuses, look)
  if (lines.length > 0) (command.porcelain ? terminal.out : terminal.say)(lines.join('\n'))
  const about = { ...look, columns: terminal.columns }
  if (!command.porcelain)
    for (const line of takenBackLines(plan.takenBack, nameOf(planned.source, about), about))
      terminal.say(line)
  if (!command.porcelain) for (const hint of remedies(plan)) terminal.note(hint)
  return EXIT.done
}
