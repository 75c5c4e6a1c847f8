/** What a plan that asks no host cannot see: hosts that may not run what this repository has on record. */
import type { Repository } from '../git/git.ts'
import { hostsWithOutcomes, lastBegun } from '../git/outcomes.ts'
import type { HostName } from '../plan/names.ts'
import type { Unsettled } from '../plan/plan.ts'

/** Of all hosts that anything was ever deployed to from here, or heard of. */
export function readUnsettled(repo: Repository): ReadonlyMap<HostName, Unsettled> {
  return new Map(
    hostsWithOutcomes(repo).flatMap((host): [HostName, Unsettled][] => {
      const last = lastBegun(repo, host)
      if (last?.outcome !== 'unknown' && last?.outcome !== 'damaged') return []
      return [[host, { host, deployment: last.id, outcome: last.outcome }]]
    }),
  )
}
