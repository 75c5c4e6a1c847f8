/** Which hosts run something else than the config tree has for them. What that means for them is decided later. */
import type { Context } from '../context.ts'
import type { Repository } from '../git/git.ts'
import { ObjectReader } from '../git/objects.ts'
import type { Tracked } from '../git/refs.ts'
import type { Snapshot } from '../git/snapshot.ts'
import { makeTree, writeTrees } from '../git/tree-object.ts'
import { order } from '../plan/host-state.ts'
import type { HostName, Oid } from '../plan/names.ts'
import type { Unsettled } from '../plan/plan.ts'
import type { Selection } from '../plan/select.ts'
import { type Cluster, clusterAtTop, findCluster } from './cluster.ts'
import { refuseForeign, refuseGone, refuseHost } from './refuse-cluster.ts'
import { beginReading, type RepositoryReading, type RepositoryState } from './repository-state.ts'
import type { SavedPlan } from './saved-plan.ts'
import { savedSnapshot } from './saved-snapshot.ts'
import { narrow, type Scope } from './scope.ts'
import { snapshotOf } from './snapshot-of.ts'
import { readOpenEnds, unsettledHosts } from './unsettled.ts'

export interface PlanRequest {
  /** As it was given on the command line. */
  readonly cluster: string | null
  /** Null takes the files from disk. */
  readonly rev: string | null
  /** Whether the disk is planned where a filter has stored files of the revision in another form; else they are refused. */
  readonly orDisk?: boolean
  /** Whether hosts that are no longer in the tree lose their apps. */
  readonly prune?: boolean
  /** Every host by default. */
  readonly selection?: Selection
  /** A plan that was made before. Its cluster, source and hosts take the place of all the other fields. */
  readonly saved?: SavedPlan
}

export interface ComparedTree extends Basis {
  readonly scope: Scope
  /** Hosts that do not run what the tree has for them, by name. */
  readonly changed: readonly ChangedHost[]
}

interface ChangedHost {
  readonly host: HostName
  readonly toTree: Oid
  readonly was: Tracked | undefined
}

interface Basis extends RepositoryState {
  readonly request: PlanRequest
  readonly cluster: Cluster
  readonly objects: ObjectReader
  readonly unsettled: ReadonlyMap<HostName, Unsettled>
}

/** Writes nothing but objects into the repository. Throws Fatal if the cluster cannot be planned. */
export async function compareTree(
  request: PlanRequest,
  context: Context,
  reading: RepositoryReading = beginReading(context),
): Promise<ComparedTree> {
  const repo = await reading.repo
  // Now, while git is still answering.
  const ends = readOpenEnds(repo)
  const objects = new ObjectReader(repo)
  const { saved } = request
  const cluster = saved
    ? clusterAtTop(repo, saved.cluster)
    : await findCluster(repo, request.cluster, reading, context)
  const asked = { request, repo, cluster, objects }
  const [snapshot, config, tracking] = await Promise.all([
    readSnapshot(asked, reading),
    reading.config,
    reading.tracking,
  ])
  const unsettled = unsettledHosts(ends, tracking)
  return compare({ ...asked, config, tracking, unsettled }, snapshot)
}

/** The same, with the files read from disk again. */
export async function compareAgain(compared: ComparedTree): Promise<ComparedTree> {
  const snapshot = await readSnapshot(compared, {
    tracking: Promise.resolve(compared.tracking),
    config: Promise.resolve(compared.config),
  })
  return compare(compared, snapshot)
}

async function readSnapshot(
  {
    request: { saved, rev },
    repo,
    cluster,
    objects,
  }: Pick<Basis, 'request' | 'repo' | 'cluster' | 'objects'>,
  reading: Pick<RepositoryReading, 'tracking' | 'config'>,
): Promise<Snapshot> {
  const snapshot = saved
    ? savedSnapshot(repo, cluster, saved, objects)
    : snapshotOf(repo, cluster, rev, { objects, config: reading.config })
  return snapshot.catch(async error => refuseGone(error, cluster, { tracking: await reading.tracking, repo }))
}

async function compare(basis: Basis, found: Snapshot): Promise<ComparedTree> {
  const { repo, request, cluster, tracking, objects } = basis
  const whole = { snapshot: found, tracking, cluster: cluster.name, format: repo.format }
  const scope = narrow(whole, request)
  refuseHost(cluster, tracking)
  await refuseForeign(cluster, scope.snapshot, { tracking, repo, objects })
  const hosts = await withEmpty(repo, scope)
  const changed = hosts
    .map(({ host, tree }) => ({ host, toTree: tree, was: tracking.get(host) }))
    .filter(({ toTree, was }) => was?.tree !== toTree)
  return { ...basis, scope, changed }
}

/** The hosts of the tree, and those that leave it with an empty tree. */
async function withEmpty(repo: Repository, { snapshot, leaving }: Scope): Promise<Snapshot['hosts']> {
  if (leaving.length === 0) return snapshot.hosts
  const empty = makeTree([], repo.format)
  await writeTrees(repo, [empty])
  const hosts = [...snapshot.hosts, ...leaving.map(host => ({ host, tree: empty.oid }))]
  return hosts.sort((a, b) => order(a.host, b.host))
}
