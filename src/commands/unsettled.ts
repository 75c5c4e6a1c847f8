/** What a plan that asks no host cannot see: hosts that may not run what this repository has on record. */
import type { Repository } from '../git/git.ts'
import { lastBegun } from '../git/outcomes.ts'
import type { HostName } from '../plan/names.ts'
import type { Unsettled } from '../plan/plan.ts'

/** Of `hosts`, in their order. */
export function readUnsettled(repo: Repository, hosts: readonly HostName[]): Unsettled[] {
  return hosts.flatMap((host): Unsettled[] => {
    const last = lastBegun(repo, host)
    if (last?.outcome !== 'unknown' && last?.outcome !== 'damaged') return []
    return [{ host, deployment: last.id, outcome: last.outcome }]
  })
}
