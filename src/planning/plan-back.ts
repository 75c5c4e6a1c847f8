/** The plan that leads hosts back to what they ran before their last deployment. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../context.ts'
import { Fatal } from '../errors.ts'
import { readConfig } from '../git/config.ts'
import { readEach } from '../git/deployments.ts'
import { openRepository, type Repository } from '../git/git.ts'
import { ObjectReader } from '../git/objects.ts'
import { readNewest, readTracking, type Tracked } from '../git/refs.ts'
import type { Undoes } from '../git/snapshot.ts'
import type { HostCommitSaid } from '../news.ts'
import { order } from '../plan/host-state.ts'
import type { ClusterName, HostName, Oid } from '../plan/names.ts'
import { planHost } from '../plan/plan.ts'
import type { Selection } from '../plan/select.ts'
import { operatorName } from '../terminal/text/names.ts'
import { namedHosts } from './named-hosts.ts'
import { type Offline, readStates } from './plan-offline.ts'
import { chooseHosts } from './select.ts'
import { readUnsettled } from './unsettled.ts'

export interface WantedBack {
  /** Empty for those of the newest deployment that is known here. */
  readonly hosts: readonly string[]
  readonly selection: Selection
}

/** Throws Fatal where nothing ran before. */
export async function planBack({ hosts: named, selection }: WantedBack, context: Context): Promise<Offline> {
  const repo = await openRepository(context)
  const [config, tracking] = await Promise.all([readConfig(repo), readTracking(repo)])
  const said = await readEach(
    repo,
    [...tracking.values()].map(({ commit }) => commit),
  )
  const all =
    named.length > 0
      ? namedHosts(named, [...tracking.keys()], 'roll back')
      : lastDeployed(tracking, said, await readNewest(repo))
  const chosen = chooseHosts(all, selection)
  const [hosts, out] = [all.filter(host => chosen.has(host)), all.filter(host => !chosen.has(host))]
  const tracked = hosts.map(host => tracking.get(host)!).sort((a, b) => order(a.host, b.host))
  const cluster = clusterOf(tracked)
  const before = await readBefore(repo, tracked, said)
  const objects = new ObjectReader(repo)
  const states = await readStates(
    tracked.flatMap(({ host, tree }) => [tree, before.get(host)!.tree]),
    objects,
  )
  const compared = tracked.map(({ host, commit, tree }) => {
    const toTree = before.get(host)!.tree
    return { host, from: commit, fromTree: tree, toTree, old: states.get(tree)!, next: states.get(toTree)! }
  })
  const unsettled = readUnsettled(repo)
  const plans = compared.map(planHost).filter(({ apps }) => apps.length > 0)
  const leftOut = out.length > 0 ? { hosts: out, changed: out } : null
  const sources = new Set([...before.values()].map(({ source }) => source))
  return {
    repo,
    config,
    cluster: { name: cluster, path: cluster, shown: cluster },
    source: {
      kind: 'rollback',
      recorded: sources.size === 1 ? [...sources][0]! : 'several',
      undoes: lastOf(tracked.flatMap(({ commit }) => said.get(commit) ?? [])),
    },
    tracking,
    hosts,
    plan: {
      cluster,
      hosts: plans,
      vanished: [],
      leaving: [],
      total: hosts.length,
      leftOut,
      unsettled: hosts.flatMap(host => unsettled.get(host) ?? []),
    },
    states: new Map(compared.map(({ host, old, next }) => [host, { old, next }])),
    objects,
    back: before,
  }
}

/**
 * A sync may have brought several deployments at once: then their commits tell which is the newest, to the second. Among
 * our own that would not do.
 */
function lastDeployed(
  tracking: ReadonlyMap<HostName, Tracked>,
  said: ReadonlyMap<Oid, HostCommitSaid>,
  newest: ReadonlySet<Oid>,
): HostName[] {
  const tracked = [...tracking.values()].filter(({ commit }) => newest.has(commit))
  const when = ({ commit }: Tracked) => said.get(commit)?.date.getTime() ?? 0
  const idOf = ({ commit }: Tracked) => said.get(commit)?.deployment ?? ''
  const last = tracked.sort((a, b) => when(a) - when(b) || order(idOf(a), idOf(b))).at(-1)
  if (last !== undefined) return tracked.filter(one => idOf(one) === idOf(last)).map(({ host }) => host)
  if (tracking.size > 0)
    throw new Fatal('cannot roll back: no host of the last deployment is tracked any more', {
      hint: 'name the hosts: git deploy rollback <host>…',
    })
  throw new Fatal('cannot roll back: no deployment is known here', {
    hint: "'git deploy sync' asks the hosts what they run",
  })
}

/** Null where the hosts were not last deployed to together. */
function lastOf([first, ...others]: readonly HostCommitSaid[]): Undoes | null {
  if (first === undefined || first.deployment === '') return null
  const { deployment, author } = first
  const together = others.every(one => one.deployment === deployment)
  return together ? { deployment, by: operatorName(author) } : null
}

function clusterOf(tracked: readonly Tracked[]): ClusterName {
  const clusters = new Set(tracked.map(({ cluster }) => cluster))
  const [cluster] = clusters
  if (clusters.size === 1 && cluster) return cluster
  throw new Fatal(
    `cannot roll back ${tracked.map(({ host }) => host).join(', ')}: they are not of one cluster`,
    {
      hint: 'name hosts of one cluster at a time',
    },
  )
}

interface Ran {
  readonly commit: Oid
  readonly tree: Oid
  readonly source: string
}

async function readBefore(
  repo: Repository,
  tracked: readonly Tracked[],
  said: ReadonlyMap<Oid, HostCommitSaid>,
): Promise<Map<HostName, Ran>> {
  const parents = tracked.map(({ host, commit, cluster }) => {
    const parent = said.get(commit)?.parents[0]
    if (parent !== undefined) return parent
    if (existsSync(join(repo.commonDir, 'shallow')))
      throw new Fatal(
        `cannot roll back '${host}': this clone is shallow, and may lack what ran there before`,
        {
          hint: 'git fetch --unshallow',
        },
      )
    throw new Fatal(`cannot roll back '${host}': nothing was deployed there before`, {
      hint: `to remove its apps, empty the directory '${cluster}/${host}' and deploy that`,
    })
  })
  const commits = await readEach(repo, parents)
  // A repair has deployed the same once more, and to go back to before it would be to stay.
  const isRepaired = tracked.map(({ tree }, i) => commits.get(parents[i]!)?.tree === tree)
  if (isRepaired.includes(true)) {
    const earlier = tracked.map((one, i) => (isRepaired[i] ? { ...one, commit: parents[i]! } : one))
    return readBefore(repo, earlier, new Map([...said, ...commits]))
  }
  return new Map(
    tracked.map(({ host }, i) => {
      const ran = commits.get(parents[i]!)
      if (ran?.deployment === '') refuseNoDeployment(host, ran.commit)
      if (ran !== undefined) return [host, ran]
      throw new Fatal(`cannot roll back '${host}': what ran there before is not in this repository`, {
        hint: `git deploy forget ${host}, then 'git deploy sync', bring it all back`,
      })
    }),
  )
}

/** Files go to a host only from a commit that a deployment to it has made: no other may become its history. */
function refuseNoDeployment(host: HostName, commit: Oid): never {
  throw new Fatal(
    `cannot roll back '${host}': ${commit.slice(0, 10)}, which it would go back to, is not a deployment`,
    { hint: `run 'git deploy forget ${host}', then 'git deploy sync'` },
  )
}
