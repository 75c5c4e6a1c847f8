/** What a plan that asks no host cannot see: hosts that may not run what this repository has on record. */

import type { Repository } from '../git/git.ts'
import type { OpenEnd } from '../git/marks.ts'
import { hostsWithOutcomes, openEnds } from '../git/outcomes.ts'
import type { Tracked } from '../git/refs.ts'
import type { HostName } from '../plan/names.ts'
import type { Unsettled } from '../plan/plan.ts'

type OpenEnds = ReadonlyMap<HostName, readonly OpenEnd[]>

/** Of all hosts, whatever cluster they are in. */
export function readOpenEnds(repo: Repository): OpenEnds {
  return new Map(hostsWithOutcomes(repo).map(host => [host, openEnds(repo, host)]))
}

/**
 * Only a deployment counts that began at what the host runs: a commit that holds there supersedes all that came before it,
 * whatever the clocks of operators said.
 */
export function unsettledHosts(
  ends: OpenEnds,
  tracking: ReadonlyMap<HostName, Tracked>,
): ReadonlyMap<HostName, Unsettled> {
  return new Map(
    [...ends].flatMap(([host, open]): [HostName, Unsettled][] => {
      const at = tracking.get(host)?.commit ?? null
      const last = open.findLast(({ from }) => from === at)
      return last ? [[host, { host, deployment: last.id, outcome: last.outcome }]] : []
    }),
  )
}
