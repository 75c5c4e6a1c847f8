/** The plan that leads hosts back to what they ran before their last deployment. */
import type { Context } from '../context.ts'
import { Fatal } from '../errors.ts'
import type { Repository } from '../git/git.ts'
import { readHostCommits } from '../git/host-commits.ts'
import { ObjectReader } from '../git/objects.ts'
import { heldSince } from '../git/outcomes.ts'
import { type Newest, readNewest, type Tracked } from '../git/refs.ts'
import type { Source, Undoes } from '../git/snapshot.ts'
import type { HostCommit } from '../host-commit.ts'
import type { DeploymentId } from '../plan/deployment-id.ts'
import { order } from '../plan/host-state.ts'
import type { ClusterName, HostName, Oid } from '../plan/names.ts'
import type { Selection } from '../plan/select.ts'
import { operatorName } from '../terminal/text/names.ts'
import { hostsOrIds, namedHosts } from './named-hosts.ts'
import { type Planned, planHosts, planned, type RanBefore } from './planned.ts'
import { readBefore } from './ran-before.ts'
import { readStates } from './read-states.ts'
import { type RepositoryState, readRepository } from './repository-state.ts'
import { chooseHosts } from './select.ts'
import { readOpenEnds, unsettledHosts } from './unsettled.ts'

interface RollbackRequest {
  /** Empty for those of the newest deployment that is known here. */
  readonly hosts: readonly string[]
  readonly selection: Selection
}

/** Throws Fatal if nothing ran before. */
export async function planRollback(request: RollbackRequest, context: Context): Promise<Planned> {
  const state = await readRepository(context)
  const { repo, tracking } = state
  const commits = [...tracking.values()].map(({ commit }) => commit)
  const said = await readHostCommits(repo, commits)
  const { hosts, leftOut } = choose(request, state, { said, newest: await readNewest(repo) })
  const cluster = clusterOf(hosts)
  const back = await readBefore(repo, hosts, said)
  const objects = new ObjectReader(repo)
  const sides = hosts.map(({ host, commit, tree }) => {
    return { host, from: commit, fromTree: tree, toTree: back.get(host)!.tree }
  })
  const states = await readStates(
    sides.flatMap(({ fromTree, toTree }) => [fromTree, toTree]),
    objects,
  )
  return planned(state, {
    objects,
    cluster: { name: cluster, path: cluster, shown: cluster, command: 'git deploy' },
    source: sourceOf(hosts, said, back),
    hosts: hosts.map(({ host }) => host),
    unsettled: unsettledHosts(readOpenEnds(repo), tracking),
    leftOut: leftOut.length > 0 ? { hosts: leftOut, changed: leftOut } : null,
    changes: planHosts(
      sides.map(side => ({ ...side, old: states.get(side.fromTree)!, next: states.get(side.toTree)! })),
    ),
    back,
  })
}

type Said = ReadonlyMap<Oid, HostCommit>

/** The hosts to roll back, by name, and those of the same deployment that the selection leaves out. */
function choose(
  { hosts: named, selection }: RollbackRequest,
  { repo, tracking }: RepositoryState,
  known: { readonly said: Said; readonly newest: Newest },
): { hosts: Tracked[]; leftOut: HostName[] } {
  const { named: names, ids } = hostsOrIds(named, [...tracking.keys()], {
    hostsOf: id => deployedBy(id, tracking, known.said),
    verb: 'roll back',
    why: 'as far as this repository knows, no host runs it',
  })
  const hosts = [...names, ...ids.flatMap(id => deployedBy(id, tracking, known.said))]
  const all =
    hosts.length > 0
      ? namedHosts(hosts, [...tracking.keys()], 'roll back')
      : lastDeployed(repo, tracking, known)
  const chosen = chooseHosts(all, selection)
  const back = all.filter(host => chosen.has(host)).map(host => tracking.get(host)!)
  return {
    hosts: back.sort((a, b) => order(a.host, b.host)),
    leftOut: all.filter(host => !chosen.has(host)),
  }
}

/** Only what is deployed now can be taken back: what came later on a host would go too. */
function deployedBy(id: DeploymentId, tracking: ReadonlyMap<HostName, Tracked>, said: Said): HostName[] {
  const tracked = [...tracking.values()]
  return tracked.flatMap(({ host, commit }) => (said.get(commit)?.deployment === id ? host : []))
}

/**
 * What was deployed from here last is known. What a sync brought last may be several deployments, old ones too: then the
 * clocks of the hosts say which is the newest, because those of operators, which are in the commits, may be anything.
 */
function lastDeployed(
  repo: Repository,
  tracking: ReadonlyMap<HostName, Tracked>,
  { said, newest }: { readonly said: Said; readonly newest: Newest },
): HostName[] {
  const isNewest = ({ commit }: Tracked) => newest.commits.has(commit)
  const all = [...tracking.values()]
  const tracked = newest.isOwn || !all.some(isNewest) ? all.filter(isNewest) : all
  const began = ({ host, commit }: Tracked) =>
    heldSince(repo, host, commit) ?? said.get(commit)?.date.getTime() ?? 0
  const when = new Map(tracked.map(one => [one, began(one)]))
  const idOf = ({ commit }: Tracked) => said.get(commit)?.deployment ?? ''
  const last = tracked.sort((a, b) => when.get(a)! - when.get(b)! || order(idOf(a), idOf(b))).at(-1)
  if (last !== undefined)
    return tracked
      .filter(one => idOf(one) === idOf(last))
      .map(({ host }) => host)
      .sort(order)
  if (tracking.size > 0)
    throw new Fatal('cannot roll back: no host of the last deployment is still tracked', {
      hint: "name the hosts: run 'git deploy rollback <host>…'",
    })
  throw new Fatal('cannot roll back: this repository has not recorded a deployment', {
    hint: "run 'git deploy sync' to ask the hosts what they run",
  })
}

function clusterOf(tracked: readonly Tracked[]): ClusterName {
  const clusters = new Set(tracked.map(({ cluster }) => cluster))
  const [cluster] = clusters
  if (clusters.size === 1 && cluster) return cluster
  const hosts = tracked.map(({ host }) => host).join(', ')
  throw new Fatal(`cannot roll back ${hosts}: they are not hosts of one cluster`, {
    hint: 'name hosts of one cluster at a time',
  })
}

function sourceOf(
  hosts: readonly Tracked[],
  said: Said,
  before: ReadonlyMap<HostName, RanBefore>,
): Extract<Source, { kind: 'rollback' }> {
  const sources = new Set([...before.values()].map(({ source }) => source))
  return {
    kind: 'rollback',
    recorded: sources.size === 1 ? [...sources][0]! : 'several',
    undoes: deploymentOf(hosts.flatMap(({ commit }) => said.get(commit) ?? [])),
  }
}

/** Null if the hosts were not deployed to together. */
function deploymentOf([first, ...others]: readonly HostCommit[]): Undoes | null {
  if (first === undefined || first.deployment === null) return null
  const { deployment, author } = first
  const together = others.every(one => one.deployment === deployment)
  return together ? { deployment, by: operatorName(author) } : null
}
