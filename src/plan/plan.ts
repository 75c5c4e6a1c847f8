/** A plan: what a deployment will do on each host. Pure data, made from two states a host. */
import { type AppChange, changedApps } from './changes.ts'
import type { DeploymentId } from './deployment-id.ts'
import { makeSteps } from './deployment-steps.ts'
import type { Repair } from './drift.ts'
import { type AppFile, type HostState, order } from './host-state.ts'
import type { AppName, AppPath, ClusterName, HostName, Oid } from './names.ts'
import { needsReconnect } from './reconnect.ts'
import type { Step } from './steps.ts'

export interface Plan {
  readonly cluster: ClusterName
  /** Hosts with something to do, by name. */
  readonly hosts: readonly HostPlan[]
  /** Hosts of this cluster that are not in the tree any more, but that we still track, and go on to. */
  readonly vanished: readonly HostName[]
  /** Such hosts that are tracked no more once the plan holds; `hosts` has those of them that still have apps. */
  readonly leaving: readonly HostName[]
  /** How many hosts the tree has; with --limit or --exclude, how many of them are meant. */
  readonly total: number
  /** What --limit and --exclude left out; null where neither was given. */
  readonly leftOut: LeftOut | null
  /** Hosts that may not run what they are known to run, by name: so it is not certain that there is nothing to do. */
  readonly unsettled: readonly Unsettled[]
}

/** A host whose last deployment nobody knows the end of, or was undone and did not wholly go back. */
export interface Unsettled {
  readonly host: HostName
  readonly deployment: DeploymentId
  readonly outcome: 'unknown' | 'damaged'
}

export interface LeftOut {
  readonly hosts: readonly HostName[]
  /** Those of them with something to do. */
  readonly changed: readonly HostName[]
}

export interface HostPlan {
  readonly host: HostName
  /** The commit we know to be deployed there; null where none was. */
  readonly from: Oid | null
  readonly fromTree: Oid | null
  /** The host tree that shall be there. */
  readonly toTree: Oid
  readonly apps: readonly AppPlan[]
  readonly steps: readonly Step[]
  /** Why it is confirmed over a new connection: what it touches of the way to the host. Empty where it is not. */
  readonly reconnect: readonly string[]
  /** Where both trees are the same, and what differs is the host. */
  readonly repair?: Repair
}

export interface AppPlan {
  readonly app: AppName
  readonly action: 'add' | 'update' | 'remove' | 'repair'
  readonly files: readonly FileChange[]
}

export interface FileChange {
  readonly path: AppPath
  readonly action: 'add' | 'modify' | 'delete'
}

export interface Compared {
  readonly host: HostName
  readonly from: Oid | null
  readonly fromTree: Oid | null
  readonly toTree: Oid
  readonly old: HostState
  readonly next: HostState
}

/** The plan for one host. */
export function planHost({ host, from, fromTree, toTree, old, next }: Compared): HostPlan {
  return {
    host,
    from,
    fromTree,
    toTree,
    apps: changedApps(old, next).map(planApp),
    steps: makeSteps(old, next),
    reconnect: needsReconnect(old, next),
  }
}

function planApp(change: AppChange): AppPlan {
  const { name } = change.to ?? change.from
  return {
    app: name,
    action: change.action,
    files: diffFiles(change.from?.files ?? [], change.to?.files ?? []),
  }
}

/** The files that differ in content or mode, by path. */
function diffFiles(old: readonly AppFile[], next: readonly AppFile[]): FileChange[] {
  const before = new Map(old.map(file => [file.path, file]))
  const after = new Map(next.map(file => [file.path, file]))
  return [...new Set([...before.keys(), ...after.keys()])].sort(order).flatMap((path): FileChange[] => {
    const a = before.get(path)
    const b = after.get(path)
    if (!a) return [{ path, action: 'add' }]
    if (!b) return [{ path, action: 'delete' }]
    return a.oid === b.oid && a.mode === b.mode ? [] : [{ path, action: 'modify' }]
  })
}
