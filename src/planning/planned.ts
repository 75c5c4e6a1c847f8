/** A plan, and what was read to make it: all that it takes to carry the plan out. */
import { Fatal } from '../errors.ts'
import type { ObjectReader } from '../git/objects.ts'
import type { Source } from '../git/snapshot.ts'
import type { HostState } from '../plan/host-state.ts'
import type { HostName, Oid } from '../plan/names.ts'
import {
  type Compared,
  type HostPlan,
  type LeftOut,
  type Plan,
  planHost,
  type Unsettled,
} from '../plan/plan.ts'
import type { Problem } from '../plan/problem.ts'
import type { TakenBack } from '../plan/taken-back.ts'
import { unknownKeys } from '../plan/unknown-keys.ts'
import type { Cluster } from './cluster.ts'
import type { RepositoryState } from './repository-state.ts'

export interface Planned extends RepositoryState {
  readonly objects: ObjectReader
  readonly cluster: Cluster
  readonly source: Source
  /** Every host that the plan is about, by name. */
  readonly hosts: readonly HostName[]
  readonly plan: Plan
  /** Of the hosts in the plan. */
  readonly states: ReadonlyMap<HostName, HostStates>
  /** Where a rollback leads to; null for a plan that leads to the tree of `source`. */
  readonly back: ReadonlyMap<HostName, RanBefore> | null
}

interface HostStates {
  readonly old: HostState
  readonly next: HostState
}

interface PlannedHost extends HostStates {
  readonly plan: HostPlan
}

/** What ran on a host before its last deployment. */
export interface RanBefore {
  readonly commit: Oid
  readonly tree: Oid
  /** What its commit says the files came from. */
  readonly source: string
}

/** What each kind of plan decides in its own way. */
interface Decided extends Pick<Planned, 'objects' | 'cluster' | 'source' | 'hosts'> {
  readonly changes: readonly PlannedHost[]
  /** By host, of any cluster. */
  readonly unsettled: ReadonlyMap<HostName, Unsettled>
  readonly vanished?: readonly HostName[]
  readonly leaving?: readonly HostName[]
  readonly leftOut?: LeftOut | null
  readonly back?: Planned['back']
  readonly takenBack?: readonly TakenBack[]
}

export function planned({ repo, config, tracking }: RepositoryState, decided: Decided): Planned {
  const { objects, cluster, source, hosts, changes, unsettled } = decided
  const { vanished = [], leaving = [], leftOut = null, back = null, takenBack = [] } = decided
  return {
    ...{ repo, config, tracking, objects, cluster, source, hosts, back },
    plan: {
      cluster: cluster.name,
      hosts: changes.map(({ plan }) => plan),
      vanished,
      leaving,
      total: hosts.length,
      leftOut,
      unsettled: [...hosts, ...vanished].flatMap(host => unsettled.get(host) ?? []),
      takenBack,
    },
    states: new Map(changes.map(({ plan, old, next }) => [plan.host, { old, next }])),
  }
}

/** Without the hosts that have nothing to do. Throws Fatal if a newer version deployed what the plan would change. */
export function planHosts(compared: readonly Compared[]): PlannedHost[] {
  for (const { host, old, next } of compared) refuseUnknown(host, unknownKeys(old, next))
  return compared
    .map(one => ({ plan: planHost(one), old: one.old, next: one.next }))
    .filter(({ plan }) => plan.apps.length > 0)
}

function refuseUnknown(host: HostName, [problem]: readonly Problem[]): void {
  if (problem === undefined) return
  throw new Fatal(`cannot plan '${host}': the deployed '${problem.file}' has an ${problem.what}`, {
    hint: 'a newer version of git-deploy deployed it; use that version, or a newer one',
  })
}
