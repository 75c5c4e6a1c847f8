import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Repository } from '../git/git.ts'
import type { ObjectReader } from '../git/objects.ts'
import type { Tracked } from '../git/refs.ts'
import { order } from '../plan/host-state.ts'
import { type HostName, hostName } from '../plan/names.ts'
import { parseTree } from '../plan/tree.ts'
import { besideOf, type Cluster, directoryOf } from './cluster.ts'

/**
 * The hosts of a cluster by name: those with a directory, whatever is in it, and those that are tracked. Throws Fatal
 * where there is neither. Without a working tree, HEAD has the directories.
 */
export async function hostsOf(
  repo: Repository,
  cluster: Cluster,
  { tracking, objects }: { tracking: ReadonlyMap<HostName, Tracked>; objects: ObjectReader },
): Promise<HostName[]> {
  const tracked = [...tracking.values()].filter(one => one.cluster === cluster.name).map(({ host }) => host)
  const names = repo.topLevel === null ? await inHead(cluster, objects) : onDisk(repo, cluster)
  if (names === undefined && tracked.length === 0) directoryOf(repo, cluster)
  const present = (names ?? []).flatMap(name => (name.startsWith('.') ? [] : (hostName(name) ?? [])))
  const ours = present.filter(host => {
    const other = tracking.get(host)?.cluster ?? cluster.name
    return other === cluster.name || !existsSync(join(repo.topLevel ?? '', besideOf(cluster, other, host)))
  })
  return [...new Set([...ours, ...tracked])].sort(order)
}

function onDisk({ topLevel }: Repository, { path }: Cluster): string[] | undefined {
  const dir = join(topLevel ?? '', path)
  if (!existsSync(dir)) return undefined
  return readdirSync(dir, { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(({ name }) => name)
}

async function inHead({ path }: Cluster, objects: ObjectReader): Promise<string[] | undefined> {
  const tree = await objects.readTyped(`HEAD:${path}`)
  if (tree?.type !== 'tree') return undefined
  return parseTree(tree.content, tree.oid.length / 2)
    .filter(({ kind }) => kind === 'tree')
    .map(({ name }) => name)
}
