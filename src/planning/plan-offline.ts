/** What deploy, plan and diff begin with: everything that can be known without a host. */

import type { Context } from '../context.ts'
import { type Config, readConfig } from '../git/config.ts'
import { openRepository, type Place, type Repository } from '../git/git.ts'
import { drive, LostObject, ObjectReader } from '../git/objects.ts'
import { readTracking, type Tracked } from '../git/refs.ts'
import { type Snapshot, type Source, snapshotRevision, snapshotWorktree } from '../git/snapshot.ts'
import { forgetIndex } from '../git/stat-cache.ts'
import { makeTree, writeTrees } from '../git/tree-object.ts'
import { conflicts } from '../plan/conflicts.ts'
import { EMPTY_HOST, type HostState, order, readHosts } from '../plan/host-state.ts'
import type { HostName, Oid } from '../plan/names.ts'
import { type HostPlan, type Plan, planHost } from '../plan/plan.ts'
import type { Problem } from '../plan/problem.ts'
import type { Selection } from '../plan/select.ts'
import { type Cluster, clusterAtTop, directoryOf, findCluster } from './cluster.ts'
import { refuseForeign, refuseGone, refuseHost, refuseRevision } from './refuse-cluster.ts'
import { refuseTree } from './refuse-tree.ts'
import type { SavedPlan } from './saved-plan.ts'
import { savedSnapshot } from './saved-snapshot.ts'
import { narrow } from './scope.ts'
import { readUnsettled } from './unsettled.ts'

export interface Wanted {
  /** As it was given on the command line. */
  readonly cluster: string | null
  /** Null takes the files from disk. */
  readonly rev: string | null
  /** Whether hosts that are not in the tree any more lose their apps. */
  readonly prune?: boolean
  /** Every host, unless it is given. */
  readonly selection?: Selection
  /** A plan that was made before: its cluster, its source and its hosts, whatever else is said here. */
  readonly saved?: SavedPlan
}

export interface Offline {
  readonly repo: Repository
  readonly config: Config
  readonly cluster: Cluster
  readonly source: Source
  /** Every host that this repository tracks, also those of other clusters. */
  readonly tracking: ReadonlyMap<HostName, Tracked>
  /** Every host of the config tree that is meant, by name. */
  readonly hosts: readonly HostName[]
  readonly plan: Plan
  /** Of the hosts in the plan. */
  readonly states: ReadonlyMap<HostName, Change>
  readonly objects: ObjectReader
  /** Where the plan goes back to; null where it goes to the tree of `source`. */
  readonly back: ReadonlyMap<HostName, Before> | null
}

/** What ran on a host before its last deployment. */
export interface Before {
  readonly commit: Oid
  /** What its commit says the files came from. */
  readonly source: string
}

export interface Change {
  readonly old: HostState
  readonly next: HostState
}

/** Told which hosts do not run what they should, long before it is known what that means for them. */
export type WhenChanged = (hosts: readonly HostName[], known: Pick<Offline, 'repo' | 'config'>) => void

/** What git is asked at once, before it is known what repository it is. */
export interface Questions {
  readonly repo: Promise<Repository>
  readonly config: Promise<Config>
  readonly tracking: Promise<ReadonlyMap<HostName, Tracked>>
}

export function askGit(place: Place): Questions {
  const [config, tracking] = [readConfig(place), readTracking(place)]
  for (const early of [config, tracking])
    early.catch(() => {
      // Told where it is awaited, unless there is no repository at all: then that is told.
    })
  return { config, tracking, repo: openRepository(place) }
}

interface Ways {
  readonly whenChanged?: WhenChanged
  /** Asked before. */
  readonly asked?: Questions
}

/**
 * Writes objects into the repository, and nothing else. Shows what is wrong with the tree, and throws Fatal, before
 * any plan.
 */
export async function planOffline(
  wanted: Wanted,
  context: Context,
  { whenChanged, asked = askGit(context) }: Ways = {},
): Promise<Offline> {
  const repo = await asked.repo
  // While git answers what it was asked.
  const unsettled = readUnsettled(repo)
  const objects = new ObjectReader(repo)
  const compare = async () => {
    const { saved } = wanted
    const cluster = saved ? clusterAtTop(repo, saved.cluster) : await findCluster(repo, wanted.cluster, asked)
    const attempt = async () => {
      const found = await (saved
        ? savedSnapshot(repo, cluster, saved, objects)
        : snapshotOf(repo, cluster, wanted.rev, objects)
      ).catch(async error => refuseGone(error, cluster, { tracking: await asked.tracking, repo }))
      const tracking = await asked.tracking
      const { format } = repo
      const scope = narrow({ snapshot: found, tracking, cluster: cluster.name, format }, wanted)
      refuseHost(cluster, tracking)
      await refuseForeign(cluster, scope.snapshot, { tracking, repo, objects })
      const whole = await withEmpty(repo, scope.snapshot, scope.leaving)
      if (whenChanged && scope.snapshot.problems.length === 0)
        whenChanged(
          changedHosts(whole, tracking).map(({ host }) => host),
          { repo, config: await asked.config },
        )
      return { cluster, scope, ...(await compareHosts(whole, tracking, objects)) }
    }
    return attempt().catch(error => {
      if (!(error instanceof LostObject) || wanted.rev !== null || saved) throw error
      forgetIndex(repo, cluster.name)
      return attempt()
    })
  }
  const [compared, config, tracking] = await Promise.all([compare(), asked.config, asked.tracking])
  const { cluster, scope, plans, states, problems } = compared
  const { snapshot, vanished, leaving, leftOut } = scope
  const { source } = snapshot
  if (problems.length > 0) await refuseTree(problems, { repo, cluster, source, objects, context })
  const hosts = snapshot.hosts.map(({ host }) => host)
  const plan: Plan = {
    cluster: cluster.name,
    hosts: plans,
    vanished,
    leaving,
    total: hosts.length,
    leftOut,
    unsettled: [...hosts, ...vanished].flatMap(host => unsettled.get(host) ?? []),
  }
  return {
    repo,
    config,
    cluster,
    source,
    tracking,
    hosts,
    plan,
    states,
    objects,
    back: null,
  }
}

export async function snapshotOf(
  repo: Repository,
  cluster: Cluster,
  rev: string | null,
  objects: ObjectReader,
): Promise<Snapshot> {
  if (rev === null) return snapshotWorktree(repo, cluster.name, directoryOf(repo, cluster), objects)
  return snapshotRevision(repo, rev, cluster.path, objects).catch(error =>
    refuseRevision(error, { repo, cluster, rev }),
  )
}

interface Comparison {
  readonly plans: readonly HostPlan[]
  readonly states: ReadonlyMap<HostName, Change>
  /** Their paths are below the cluster's directory. */
  readonly problems: readonly Problem[]
}

function changedHosts({ hosts }: Snapshot, tracking: ReadonlyMap<HostName, Tracked>) {
  return hosts
    .map(({ host, tree }) => ({ host, toTree: tree, was: tracking.get(host) }))
    .filter(({ toTree, was }) => was?.tree !== toTree)
}

async function compareHosts(
  snapshot: Snapshot,
  tracking: ReadonlyMap<HostName, Tracked>,
  objects: ObjectReader,
): Promise<Comparison> {
  const changed = changedHosts(snapshot, tracking)
  const states = await readStates(
    changed.flatMap(({ toTree, was }) => (was ? [was.tree, toTree] : [toTree])),
    objects,
  )
  const compared = changed.map(({ host, toTree, was }) => ({
    host,
    from: was?.commit ?? null,
    fromTree: was?.tree ?? null,
    toTree,
    old: was ? states.get(was.tree)! : EMPTY_HOST,
    next: states.get(toTree)!,
  }))
  return {
    plans: compared.map(planHost).filter(({ apps }) => apps.length > 0),
    states: new Map(compared.map(({ host, old, next }) => [host, { old, next }])),
    problems: [...snapshot.problems, ...compared.flatMap(({ host, next }) => problemsOf(host, next))],
  }
}

export function problemsOf(host: HostName, state: HostState): Problem[] {
  return [...state.problems, ...conflicts(state)].map(problem => ({
    ...problem,
    file: `${host}/${problem.file}`,
  }))
}

/** The states that host trees describe, by tree. */
export async function readStates(trees: readonly Oid[], objects: ObjectReader): Promise<Map<Oid, HostState>> {
  const roots = [...new Set(trees)]
  const states = await drive(readHosts(roots), objects)
  return new Map(roots.map((root, i) => [root, states[i]!]))
}

/** The snapshot, with directories without apps for hosts that have none. */
async function withEmpty(
  repo: Repository,
  snapshot: Snapshot,
  leaving: readonly HostName[],
): Promise<Snapshot> {
  if (leaving.length === 0) return snapshot
  const empty = makeTree([], repo.format)
  await writeTrees(repo, [empty])
  const hosts = [...snapshot.hosts, ...leaving.map(host => ({ host, tree: empty.oid }))]
  return { ...snapshot, hosts: hosts.sort((a, b) => order(a.host, b.host)) }
}
