/** Hosts that may not run what this repository has on record, which a plan that asks no host cannot see. */
import type { Repository } from '../git/git.ts'
import { markedHosts } from '../git/marks.ts'
import { isUnsettled, lastBegun } from '../git/outcomes.ts'
import type { HostName } from '../plan/names.ts'
import type { Unsettled } from '../plan/plan.ts'

/** Of all hosts, whatever cluster they are in. */
export function readUnsettled(repo: Repository): ReadonlyMap<HostName, Unsettled> {
  return new Map(
    markedHosts(repo).flatMap((host): [HostName, Unsettled][] => {
      const last = lastBegun(repo, host)
      return isUnsettled(last) ? [[host, { host, deployment: last.id, outcome: last.outcome }]] : []
    }),
  )
}
