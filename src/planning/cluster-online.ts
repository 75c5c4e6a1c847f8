/** What sync and ping begin with: the hosts of a cluster, and the ways to them. */

import type { Context } from '../context.ts'
import { type Config, readConfig } from '../git/config.ts'
import { openRepository, type Repository } from '../git/git.ts'
import { ObjectReader } from '../git/objects.ts'
import { readTracking, type Tracked } from '../git/refs.ts'
import type { ClusterName, HostName } from '../plan/names.ts'
import type { Selection } from '../plan/select.ts'
import type { Connection } from '../remote/transport.ts'
import { noHosts } from '../terminal/text/names.ts'
import { findCluster } from './cluster.ts'
import { hostsOf } from './hosts-of.ts'
import { reach } from './reach.ts'
import { refuseHost } from './refuse-cluster.ts'
import { chooseHosts } from './select.ts'

export interface ClusterOnline {
  readonly repo: Repository
  readonly config: Config
  readonly cluster: ClusterName
  readonly tracking: ReadonlyMap<HostName, Tracked>
  /** Those of the tree, and tracked ones, that are meant; by name. */
  readonly hosts: readonly HostName[]
  /** At most so many hosts at a time. */
  readonly parallel: number
  /** Rejects with HostError. */
  connect(host: HostName): Promise<Connection>
}

export interface Wanted {
  readonly cluster: string | null
  readonly selection: Selection
}

/** Reads nothing of the tree but the names of its hosts: what is wrong in there is none of our business. */
export async function clusterOnline(wanted: Wanted, context: Context): Promise<ClusterOnline> {
  const repo = await openRepository(context)
  const reading = { config: readConfig(repo), tracking: readTracking(repo) }
  const [config, tracking] = await Promise.all([reading.config, reading.tracking])
  const cluster = await findCluster(repo, wanted.cluster, reading)
  refuseHost(cluster, tracking)
  const objects = new ObjectReader(repo)
  const all = await hostsOf(repo, cluster, { tracking, objects })
  objects.close()
  if (all.length === 0) context.terminal.say(noHosts(cluster.name))
  const chosen = chooseHosts(all, wanted.selection)
  const connect = reach({ config }, context)
  return {
    repo,
    config,
    cluster: cluster.name,
    tracking,
    hosts: all.filter(host => chosen.has(host)),
    parallel: config.jobs,
    connect: host => connect(host, true),
  }
}
