import { type Config, readConfig } from '../git/config.ts'
import { openRepository, type Repository } from '../git/git.ts'
import { readTracking, type Tracked } from '../git/refs.ts'
import { order } from '../plan/host-state.ts'
import type { HostName } from '../plan/names.ts'
import { type Cluster, findCluster } from './cluster.ts'
import type { Context } from './context.ts'

/** What this repository has deployed to a cluster, whatever its directory holds by now. */
export interface Recorded {
  readonly repo: Repository
  readonly config: Config
  readonly color: string | null
  readonly cluster: Cluster
  readonly tracking: ReadonlyMap<HostName, Tracked>
  /** Of the cluster, by name. */
  readonly hosts: readonly Tracked[]
}

export async function readRecorded(given: string | null, context: Context): Promise<Recorded> {
  const repo = await openRepository(context)
  const reading = { config: readConfig(repo), tracking: readTracking(repo) }
  const [cluster, config, tracking] = await Promise.all([
    findCluster(repo, given, reading),
    reading.config,
    reading.tracking,
  ])
  const hosts = [...tracking.values()].filter(tracked => tracked.cluster === cluster.name)
  return {
    repo,
    config,
    color: config.color,
    cluster,
    tracking,
    hosts: hosts.sort((a, b) => order(a.host, b.host)),
  }
}
