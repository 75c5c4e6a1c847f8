import { type Config, readConfig } from '../git/config.ts'
import { openRepository, type Repository } from '../git/git.ts'
import { readTracking, type Tracked } from '../git/refs.ts'
import { order } from '../plan/host-state.ts'
import type { HostName } from '../plan/names.ts'
import type { Selection } from '../plan/select.ts'
import { type Cluster, directoryOf, findCluster } from './cluster.ts'
import type { Context } from './context.ts'
import { chooseHosts } from './select.ts'

/** What this repository has deployed to a cluster, whatever its directory holds by now. */
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
  const all = [...tracking.values()].filter(tracked => tracked.cluster === cluster.name)
  // A name that was mistyped is no cluster without drift.
  if (all.length === 0 && repo.topLevel !== null) directoryOf(repo, cluster)
  const chosen = chooseHosts(
    all.map(({ host }) => host),
    wanted.selection,
  )
  return {
    repo,
    config,
    cluster,
    tracking,
    hosts: all.filter(({ host }) => chosen.has(host)).sort((a, b) => order(a.host, b.host)),
  }
}
