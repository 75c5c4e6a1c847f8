/** The config tree of a cluster, from disk or from a revision. */
import type { Config } from '../git/config.ts'
import type { Repository } from '../git/git.ts'
import { LostObject, type ObjectReader } from '../git/objects.ts'
import { type Snapshot, snapshotRevision, snapshotWorktree } from '../git/snapshot.ts'
import { forgetIndex } from '../git/stat-cache.ts'
import { type Cluster, directoryOf } from './cluster.ts'
import { refuseRevision } from './refuse-cluster.ts'

/** Null takes the files from disk. */
export async function snapshotOf(
  repo: Repository,
  cluster: Cluster,
  rev: string | null,
  { objects, config }: { readonly objects: ObjectReader; readonly config: Promise<Config> },
): Promise<Snapshot> {
  if (rev === null)
    return snapshotWorktree(repo, cluster.name, directoryOf(repo, cluster), objects, await config)
  return snapshotRevision(repo, rev, cluster.path, objects).catch(error =>
    refuseRevision(error, { repo, cluster, rev }),
  )
}

/**
 * Call it with what went wrong after a snapshot from disk. If git has collected an object that only our stat cache knew,
 * the next snapshot reads the files again. Throws the error if that would not help.
 */
export function forgetLost(error: unknown, repo: Repository, cluster: Cluster): void {
  if (!(error instanceof LostObject)) throw error
  forgetIndex(repo, cluster.name)
}
