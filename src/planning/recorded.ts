import type { Context } from '../context.ts'
import { type Config, readConfig } from '../git/config.ts'
import { openRepository, type Repository } from '../git/git.ts'
import { ObjectReader } from '../git/objects.ts'
import { readTracking, type Tracked } from '../git/refs.ts'
import type { HostName } from '../plan/names.ts'
import type { Selection } from '../plan/select.ts'
import { type Cluster, findCluster } from './cluster.ts'
import { hostsOf } from './hosts-of.ts'
import { chooseHosts } from './select.ts'

/** What this repository has deployed to the hosts of a cluster, whatever their directories hold by now. */
export interface Recorded {
  readonly repo: Repository
  readonly config: Config
  readonly cluster: Cluster
  readonly tracking: ReadonlyMap<HostName, Tracked>
  /** Those of the cluster that are meant, by name. */
  readonly hosts: readonly Tracked[]
}

export interface Wanted {
  readonly cluster: string | null
  readonly selection: Selection
}

export async function readRecorded(wanted: Wanted, context: Context): Promise<Recorded> {
  const repo = await openRepository(context)
  const reading = { config: readConfig(repo), tracking: readTracking(repo) }
  const [cluster, config, tracking] = await Promise.all([
    findCluster(repo, wanted.cluster, reading),
    reading.config,
    reading.tracking,
  ])
  const objects = new ObjectReader(repo)
  const names = await hostsOf(repo, cluster, { tracking, objects })
  objects.close()
  const all = names.flatMap(host => tracking.get(host) ?? [])
  const chosen = chooseHosts(
    all.map(({ host }) => host),
    wanted.selection,
  )
  return {
    repo,
    config,
    cluster,
    tracking,
    hosts: all.filter(({ host }) => chosen.has(host)),
  }
}
