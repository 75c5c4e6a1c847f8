/** What deploy, plan and diff begin with: everything that can be known without a host. */
import { Fatal } from '../errors.ts'
import { type Config, readConfig } from '../git/config.ts'
import { openRepository, type Repository } from '../git/git.ts'
import { drive, ObjectReader } from '../git/objects.ts'
import { readTracking, type Tracked, trackingRef } from '../git/refs.ts'
import { type Snapshot, type Source, snapshotRevision, snapshotWorktree } from '../git/snapshot.ts'
import { forgetIndex } from '../git/stat-cache.ts'
import { EMPTY_HOST, type HostState, MissingObject, readHosts } from '../plan/host-state.ts'
import { conflicts } from '../plan/links.ts'
import type { HostName, Oid } from '../plan/names.ts'
import { type HostPlan, type Plan, planHost } from '../plan/plan.ts'
import type { Problem } from '../plan/problem.ts'
import { type Cluster, directoryOf, findCluster } from './cluster.ts'
import { readColor } from './color.ts'
import type { Context } from './context.ts'
import { refuseTree } from './refuse-tree.ts'

export interface Wanted {
  /** As it was given on the command line. */
  readonly cluster: string | null
  /** Null takes the files from disk. */
  readonly rev: string | null
}

export interface Offline {
  readonly repo: Repository
  readonly config: Config
  /** What git config says about colour; null where it is silent. */
  readonly color: string | null
  readonly cluster: Cluster
  readonly source: Source
  /** Every host that this repository tracks, also those of other clusters. */
  readonly tracking: ReadonlyMap<HostName, Tracked>
  /** Every host of the config tree, by name. */
  readonly hosts: readonly HostName[]
  readonly plan: Plan
  /** Of the hosts in the plan. */
  readonly states: ReadonlyMap<HostName, Change>
  readonly objects: ObjectReader
}

export interface Change {
  readonly old: HostState
  readonly next: HostState
}

/** Writes objects into the repository, and nothing else. Shows what is wrong with the tree, and throws Fatal, before any plan. */
export async function planOffline(wanted: Wanted, context: Context): Promise<Offline> {
  const repo = await openRepository(context)
  const reading = {
    config: readConfig(repo),
    tracking: readTracking(repo),
    color: readColor(repo),
  }
  const objects = new ObjectReader(repo)
  const compare = async () => {
    const cluster = await findCluster(repo, wanted.cluster, reading)
    const attempt = async () => {
      const snapshot = await snapshotOf(repo, cluster, wanted.rev, objects)
      const tracking = await reading.tracking
      refuseForeign(cluster, snapshot, tracking)
      return { cluster, snapshot, ...(await compareHosts(snapshot, tracking, objects)) }
    }
    return attempt().catch(error => {
      if (!(error instanceof MissingObject) || wanted.rev !== null) throw error
      forgetIndex(repo, cluster.name)
      return attempt()
    })
  }
  const [compared, config, tracking, color] = await Promise.all([
    compare(),
    reading.config,
    reading.tracking,
    reading.color,
  ])
  const { cluster, snapshot, plans, states, problems } = compared
  const { source } = snapshot
  if (problems.length > 0) await refuseTree(problems, { repo, cluster, source, objects, context })
  const plan = planOf(cluster, snapshot, tracking, plans)
  const hosts = snapshot.hosts.map(({ host }) => host)
  return { repo, config, color, cluster, source, tracking, hosts, plan, states, objects }
}

function snapshotOf(
  repo: Repository,
  cluster: Cluster,
  rev: string | null,
  objects: ObjectReader,
): Promise<Snapshot> {
  return rev === null
    ? snapshotWorktree(repo, cluster.name, directoryOf(repo, cluster), objects)
    : snapshotRevision(repo, rev, cluster.path, objects)
}

/** Two clusters that deploy to one host would undo each other's work. */
function refuseForeign(
  { name }: Cluster,
  { hosts }: Snapshot,
  tracking: ReadonlyMap<HostName, Tracked>,
): void {
  for (const { host } of hosts) {
    const other = tracking.get(host)?.cluster
    if (other !== undefined && other !== null && other !== name)
      throw new Fatal(`cannot plan '${name}': its host '${host}' is deployed from '${other}'`, {
        hint: `if it has moved, 'git update-ref -d ${trackingRef(host)}' makes this repository forget it`,
      })
  }
}

interface Comparison {
  readonly plans: readonly HostPlan[]
  readonly states: ReadonlyMap<HostName, Change>
  /** Their paths are below the cluster's directory. */
  readonly problems: readonly Problem[]
}

async function compareHosts(
  { hosts, problems }: Snapshot,
  tracking: ReadonlyMap<HostName, Tracked>,
  objects: ObjectReader,
): Promise<Comparison> {
  const changed = hosts
    .map(({ host, tree }) => ({ host, toTree: tree, was: tracking.get(host) }))
    .filter(({ toTree, was }) => was?.tree !== toTree)
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
    problems: [...problems, ...compared.flatMap(({ host, next }) => problemsOf(host, next))],
  }
}

function problemsOf(host: HostName, state: HostState): Problem[] {
  return [...state.problems, ...conflicts(state)].map(problem => ({
    ...problem,
    file: `${host}/${problem.file}`,
  }))
}

async function readStates(trees: readonly Oid[], objects: ObjectReader): Promise<Map<Oid, HostState>> {
  const roots = [...new Set(trees)]
  const states = await drive(readHosts(roots), objects)
  return new Map(roots.map((root, i) => [root, states[i]!]))
}

function planOf(
  { name }: Cluster,
  { hosts }: Snapshot,
  tracking: ReadonlyMap<HostName, Tracked>,
  plans: readonly HostPlan[],
): Plan {
  const present = new Set(hosts.map(({ host }) => host))
  const vanished = [...tracking.values()].filter(
    ({ host, cluster }) => cluster === name && !present.has(host),
  )
  return { cluster: name, hosts: plans, vanished: vanished.map(({ host }) => host), total: hosts.length }
}
