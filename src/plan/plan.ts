/** A plan: what a deployment will do on each host. Pure data, made from two states of each host. */
import { type AppChange, changedApps } from './changes.ts'
import type { DeploymentId } from './deployment-id.ts'
import { makeSteps } from './deployment-steps.ts'
import type { Repair } from './drift.ts'
import { type AppFile, type HostState, order } from './host-state.ts'
import type { AppName, AppPath, ClusterName, HostName, Oid } from './names.ts'
import { needsReconnect } from './reconnect.ts'
import type { Step } from './steps.ts'
import type { TakenBack } from './taken-back.ts'

export interface Plan {
  readonly cluster: ClusterName
  /** Hosts with something to do, by name. */
  readonly hosts: readonly HostPlan[]
  /** Tracked hosts of this cluster that are no longer in the config tree, and stay tracked. */
  readonly vanished: readonly HostName[]
  /** Hosts that are no longer tracked after this deployment; those that still have apps are also in `hosts`. */
  readonly leaving: readonly HostName[]
  /** The hosts in the tree, or those of them that --limit and --exclude select. */
  readonly total: number
  /** null without --limit and --exclude. */
  readonly leftOut: LeftOut | null
  /** By name. If there is nothing else to do, the cluster may still not be up to date. */
  readonly unsettled: readonly Unsettled[]
  /** Of others, by what is in `hosts`. */
  readonly takenBack: readonly TakenBack[]
}

/** A host whose last deployment has an unknown outcome, or was rolled back incompletely. */
export interface Unsettled {
  readonly host: HostName
  readonly deployment: DeploymentId
  readonly outcome: 'unknown' | 'damaged'
}

export interface LeftOut {
  readonly hosts: readonly HostName[]
  /** Those of them that differ from the tree. */
  readonly changed: readonly HostName[]
}

export interface HostPlan {
  readonly host: HostName
  /** What is deployed there, as far as this repository knows; null if nothing is. */
  readonly from: Oid | null
  readonly fromTree: Oid | null
  readonly toTree: Oid
  readonly apps: readonly AppPlan[]
  readonly steps: readonly Step[]
  /** What it changes that may cut off the operator: if anything, it is confirmed over a new connection. */
  readonly reconnect: readonly string[]
  /** Both trees are the same, and the host differs from them. */
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
