/** Hosts that may not run what this repository has on record, which a plan that asks no host cannot see. */
import type { Repository } from '../git/git.ts'
import { hostsWithOutcomes, openEnds } from '../git/outcomes.ts'
import type { Tracked } from '../git/refs.ts'
import type { HostName } from '../plan/names.ts'
import type { Unsettled } from '../plan/plan.ts'

/**
 * Of all hosts, whatever cluster they are in. Only a deployment counts that began at what the host runs: a commit that
 * holds there supersedes all that came before it, whatever the clocks of operators said.
 */
export function readUnsettled(
  repo: Repository,
  tracking: ReadonlyMap<HostName, Tracked>,
): ReadonlyMap<HostName, Unsettled> {
  return new Map(
    hostsWithOutcomes(repo).flatMap((host): [HostName, Unsettled][] => {
      const at = tracking.get(host)?.commit ?? null
      const last = openEnds(repo, host).findLast(({ from }) => from === at)
      return last ? [[host, { host, deployment: last.id, outcome: last.outcome }]] : []
    }),
  )
}
