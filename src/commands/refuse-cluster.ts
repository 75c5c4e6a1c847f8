/** What looks like a cluster, and cannot be planned beside what is deployed already. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Fatal } from '../errors.ts'
import type { Tracked } from '../git/refs.ts'
import type { Snapshot } from '../git/snapshot.ts'
import type { HostName } from '../plan/names.ts'
import { besideOf, type Cluster } from './cluster.ts'
import type { Offline } from './plan-offline.ts'

/** 'prod/web1' would be a cluster whose hosts are the apps of web1. */
export function refuseHost({ path, shown }: Cluster, tracking: ReadonlyMap<HostName, Tracked>): void {
  const [host, cluster] = path.split('/').reverse()
  const tracked = [...tracking.values()].some(one => one.host === host && one.cluster === cluster)
  if (tracked)
    throw new Fatal(`cannot plan '${shown}': it is a host of '${cluster}', and not a cluster`, {
      hint: `git deploy ${cluster} --limit ${host}`,
    })
}

/** Two clusters that deploy to one host would undo each other's work. One that is not in its old cluster any more has moved. */
export async function refuseForeign(
  cluster: Cluster,
  { hosts, source }: Snapshot,
  { tracking, repo, objects }: Pick<Offline, 'tracking' | 'repo' | 'objects'>,
): Promise<void> {
  for (const { host } of hosts) {
    const other = tracking.get(host)?.cluster ?? cluster.name
    if (other === cluster.name) continue
    const path = besideOf(cluster, other, host)
    const commit = 'commit' in source ? source.commit : null
    const isThere =
      source.kind === 'worktree' && repo.topLevel !== null
        ? existsSync(join(repo.topLevel, path))
        : (await objects.readTyped(`${commit}:${path}`)) !== undefined
    if (isThere)
      throw new Fatal(`cannot plan '${cluster.name}': its host '${host}' is deployed from '${other}'`, {
        hint: `a host belongs to one cluster; if it has moved: git rm -r '${path}'`,
      })
  }
}
