/** The part of a config tree that a command is about, and what is left out of it. */
import type { Repository } from '../git/git.ts'
import type { Tracked } from '../git/refs.ts'
import type { Snapshot } from '../git/snapshot.ts'
import { makeTree } from '../git/tree-object.ts'
import type { ClusterName, HostName } from '../plan/names.ts'
import type { LeftOut } from '../plan/plan.ts'
import { EVERY_HOST, type Selection } from '../plan/select.ts'
import type { SavedPlan } from './saved-plan.ts'
import { chooseHosts } from './select.ts'

export interface Scope {
  /** Without the hosts that were left out, and their problems. */
  readonly snapshot: Snapshot
  /** Hosts of the cluster that are tracked, but no longer in the tree. */
  readonly vanished: readonly HostName[]
  /** The same, if they are to lose their apps. */
  readonly leaving: readonly HostName[]
  readonly leftOut: LeftOut | null
}

interface Whole {
  readonly snapshot: Snapshot
  readonly tracking: ReadonlyMap<HostName, Tracked>
  readonly cluster: ClusterName
  readonly format: Repository['format']
}

interface Meant {
  readonly selection?: Selection
  readonly prune?: boolean
  readonly saved?: Pick<SavedPlan, 'leaving'>
}

/** Throws Fatal where the selection names hosts that nobody knows. */
export function narrow(whole: Whole, { selection = EVERY_HOST, prune = false, saved }: Meant): Scope {
  const { snapshot, tracking } = whole
  if (saved) return { snapshot, vanished: [], leaving: saved.leaving, leftOut: null }
  const vanished = vanishedFrom(whole)
  const gone = (hosts: readonly HostName[]) =>
    prune ? { vanished: [], leaving: hosts } : { vanished: hosts, leaving: [] }
  if (selection.limit.length + selection.exclude.length === 0)
    return { snapshot, ...gone(vanished), leftOut: null }

  const { hosts, problems } = snapshot
  const chosen = chooseHosts([...hosts.map(({ host }) => host), ...vanished], selection)
  const out = hosts.filter(({ host }) => !chosen.has(host))
  const outNames = new Set<string>(out.map(({ host }) => host))
  const nothing = makeTree([], whole.format).oid
  const changed = out.filter(({ host, tree }) => (tracking.get(host)?.tree ?? nothing) !== tree)
  return {
    snapshot: {
      ...snapshot,
      hosts: hosts.filter(({ host }) => chosen.has(host)),
      problems: problems.filter(({ file }) => !outNames.has(file.split('/', 1)[0]!)),
    },
    ...gone(vanished.filter(host => chosen.has(host))),
    leftOut: { hosts: out.map(({ host }) => host), changed: changed.map(({ host }) => host) },
  }
}

function vanishedFrom({ snapshot, tracking, cluster }: Whole): HostName[] {
  const present = new Set(snapshot.hosts.map(({ host }) => host))
  return [...tracking.values()]
    .filter(tracked => tracked.cluster === cluster && !present.has(tracked.host))
    .map(({ host }) => host)
}
