import type { CommandOf } from '../command.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { readDeployed } from '../git/deployed.ts'
import type { Repository } from '../git/git.ts'
import { lastOutcome } from '../git/outcomes.ts'
import type { HostName } from '../plan/names.ts'
import type { DeploymentId } from '../protocol/messages.ts'
import { hostStatuses, renderPorcelain, renderStatus, statusRecord } from '../terminal/status.ts'
import type { Context } from './context.ts'
import { planOffline } from './plan-offline.ts'

/** `git deploy status`: what each host runs, as far as this repository knows, and whether that is what it should. */
export async function status(command: CommandOf<'status'>, context: Context): Promise<ExitCode> {
  const { cluster, selection } = command
  const offline = await planOffline({ cluster, rev: null, selection }, context)
  const { repo, config, plan, hosts, tracking } = offline
  const tracked = [...hosts, ...plan.vanished].flatMap(host => tracking.get(host) ?? [])
  const commits = new Map(tracked.map(({ host, commit }) => [host, commit]))
  const deployed = await readDeployed(repo, [...commits.values()])
  const unheard = await unheardOf(repo, [...hosts, ...plan.vanished])
  const statuses = hostStatuses({ plan, hosts, commits, deployed, unheard })
  const { terminal } = context
  for (const status of statuses) context.emit(statusRecord(plan.cluster, status))
  const look = { colors: terminal.colors(command.color ?? offline.color), abbrev: config.abbrev }
  const lines = command.porcelain ? renderPorcelain(statuses) : renderStatus(plan.cluster, statuses, look)
  if (lines.length > 0) (command.porcelain ? terminal.out : terminal.say)(lines.join('\n'))
  if (unheard.size > 0 && !command.porcelain) terminal.note(`hint: 'git deploy sync ${plan.cluster}' asks`)
  return EXIT.done
}

/** Where the last deployment is one that nobody knows the end of: its id. */
async function unheardOf(
  repo: Repository,
  hosts: readonly HostName[],
): Promise<ReadonlyMap<HostName, DeploymentId>> {
  const last = await Promise.all(hosts.map(host => lastOutcome(repo, host)))
  return new Map(
    hosts.flatMap((host, i) => (last[i]?.outcome === 'unknown' ? [[host, last[i].id] as const] : [])),
  )
}
