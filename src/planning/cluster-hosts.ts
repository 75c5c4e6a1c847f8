/** The hosts of a cluster that a command asks. Only their names are read from the config tree. */
import type { Context } from '../context.ts'
import { ObjectReader } from '../git/objects.ts'
import type { Tracked } from '../git/refs.ts'
import type { HostName } from '../plan/names.ts'
import type { Selection } from '../plan/select.ts'
import { noHosts } from '../terminal/text/names.ts'
import { type Cluster, findCluster } from './cluster.ts'
import { hostsOf } from './hosts-of.ts'
import { refuseHost } from './refuse-cluster.ts'
import { beginReading, type RepositoryState } from './repository-state.ts'
import { chooseHosts } from './select.ts'

interface ClusterSelection {
  /** As it was given on the command line. */
  readonly cluster: string | null
  readonly selection: Selection
}

export interface KnownCluster<Host> extends RepositoryState {
  readonly cluster: Cluster
  /** By name. */
  readonly hosts: readonly Host[]
}

export async function readClusterHosts(
  { cluster, selection }: ClusterSelection,
  context: Context,
): Promise<KnownCluster<HostName>> {
  const known = await readCluster(cluster, context)
  if (known.hosts.length === 0) context.terminal.say(noHosts(known.cluster.name))
  const chosen = chooseHosts(known.hosts, selection)
  return { ...known, hosts: known.hosts.filter(host => chosen.has(host)) }
}

/** Only those that something was deployed to, with what that was. */
export async function readRecorded(
  { cluster, selection }: ClusterSelection,
  context: Context,
): Promise<KnownCluster<Tracked>> {
  const known = await readCluster(cluster, context)
  const recorded = known.hosts.flatMap(host => known.tracking.get(host) ?? [])
  const chosen = chooseHosts(
    recorded.map(({ host }) => host),
    selection,
  )
  return { ...known, hosts: recorded.filter(({ host }) => chosen.has(host)) }
}

async function readCluster(given: string | null, context: Context): Promise<KnownCluster<HostName>> {
  const reading = beginReading(context)
  const repo = await reading.repo
  const [cluster, config, tracking] = await Promise.all([
    findCluster(repo, given, reading, context),
    reading.config,
    reading.tracking,
  ])
  refuseHost(cluster, tracking)
  const objects = new ObjectReader(repo)
  const hosts = await hostsOf(repo, cluster, { tracking, objects })
  objects.close()
  return { repo, config, tracking, cluster, hosts }
}
