/** The plan that makes hosts run what a config tree has for them. No host is asked. */
import type { Context } from '../context.ts'
import { EMPTY_HOST, type HostState } from '../plan/host-state.ts'
import type { Oid } from '../plan/names.ts'
import type { Compared } from '../plan/plan.ts'
import type { Problem } from '../plan/problem.ts'
import type { TakenBack } from '../plan/taken-back.ts'
import { type ComparedTree, compareAgain, compareTree, type PlanRequest } from './compare-tree.ts'
import { filterProblems } from './filtered.ts'
import { type Change, findTakenBack } from './find-taken-back.ts'
import { type Planned, planHosts, planned } from './planned.ts'
import { problemsOf, readStates } from './read-states.ts'
import { refuseTree } from './refuse-tree.ts'
import type { RepositoryReading } from './repository-state.ts'
import { forgetLost } from './snapshot-of.ts'

export async function planOffline(
  request: PlanRequest,
  context: Context,
  reading?: RepositoryReading,
): Promise<Planned> {
  return planTree(await compareTree(request, context, reading), context)
}

/** If the tree cannot be deployed, shows what is wrong with it and throws Fatal. */
export async function planTree(first: ComparedTree, context: Context): Promise<Planned> {
  const read = await readBothSides(first)
  const { repo, cluster, objects, scope, unsettled } = read.compared
  const { snapshot, vanished, leaving, leftOut } = scope
  const { source } = snapshot
  const filtered = await filteredIn(read)
  if (filtered.length > 0 && first.request.orDisk)
    return planOffline({ ...first.request, rev: null, orDisk: false }, context)
  const problems = [...problemsIn(read), ...filtered]
  if (problems.length > 0) await refuseTree(problems, { repo, cluster, source, objects, context })
  const changes = planHosts(bothSides(read))
  return planned(read.compared, {
    ...{ objects, cluster, source, unsettled, vanished, leaving, leftOut },
    hosts: snapshot.hosts.map(({ host }) => host),
    changes,
    takenBack: await takenBackBy(read.compared, changes),
  })
}

/** A saved plan is a decision of its own. */
async function takenBackBy(compared: ComparedTree, changes: readonly Change[]): Promise<TakenBack[]> {
  const { request, repo, objects, cluster, tracking, scope } = compared
  const { source } = scope.snapshot
  const tip = 'commit' in source ? source.commit : null
  if (request.saved || tip === null) return []
  return findTakenBack({ repo, objects, clusterPath: cluster.path, tip }, changes, tracking)
}

interface Read {
  readonly compared: ComparedTree
  /** By tree. */
  readonly states: ReadonlyMap<Oid, HostState>
}

async function readBothSides(compared: ComparedTree): Promise<Read> {
  return read(compared).catch(async error => {
    const { repo, cluster, request } = compared
    if (request.rev !== null || request.saved) throw error
    forgetLost(error, repo, cluster)
    return read(await compareAgain(compared))
  })
}

async function read(compared: ComparedTree): Promise<Read> {
  const trees = compared.changed.flatMap(({ toTree, was }) => (was ? [was.tree, toTree] : [toTree]))
  return { compared, states: await readStates(trees, compared.objects) }
}

function bothSides({ compared: { changed }, states }: Read): Compared[] {
  return changed.map(({ host, toTree, was }) => ({
    host,
    from: was?.commit ?? null,
    fromTree: was?.tree ?? null,
    toTree,
    old: was ? states.get(was.tree)! : EMPTY_HOST,
    next: states.get(toTree)!,
  }))
}

/** A plan that was saved from the disk names its commit only where the two were the same. */
async function filteredIn({ compared, states }: Read): Promise<Problem[]> {
  if (compared.request.saved?.source.kind === 'worktree') return []
  const next = compared.changed.map(({ host, toTree }) => ({ host, state: states.get(toTree)! }))
  return filterProblems(compared, compared.scope.snapshot.source, next)
}

/** Their paths are below the cluster's directory. */
function problemsIn({ compared: { scope, changed }, states }: Read): Problem[] {
  return [
    ...scope.snapshot.problems,
    ...changed.flatMap(({ host, toTree }) => problemsOf(host, states.get(toTree)!)),
  ]
}
