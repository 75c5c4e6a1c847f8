/** Directories that look like a cluster, but cannot be planned beside what is deployed already. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Fatal, NoDirectory, NoRevision } from '../errors.ts'
import { git, type Repository } from '../git/git.ts'
import type { ObjectReader } from '../git/objects.ts'
import type { Tracked } from '../git/refs.ts'
import type { Snapshot } from '../git/snapshot.ts'
import type { HostName } from '../plan/names.ts'
import { shellWord } from '../terminal/shell-word.ts'
import { names } from '../terminal/text/names.ts'
import { besideOf, type Cluster, candidates, meantCommand } from './cluster.ts'

type Tracking = ReadonlyMap<HostName, Tracked>

interface Deployed {
  readonly tracking: Tracking
  readonly repo: Repository
  readonly objects: ObjectReader
}

/** Throws Fatal for 'prod/web1' and below: that would be a cluster whose hosts are the apps of web1. */
export function refuseHost({ path, shown, command }: Cluster, tracking: Tracking): void {
  const parts = path.split('/')
  const inside = [...tracking.values()].find(({ host, cluster }) =>
    parts.some((part, i) => part === cluster && parts[i + 1] === host),
  )
  if (inside)
    throw new Fatal(`cannot use '${shown}' as a cluster: it is inside the cluster '${inside.cluster}'`, {
      hint: hostHint({ shown: inside.cluster!, command }, inside.host),
    })
}

/** A word that is not a revision may be a host of the cluster, and the one before it a command with a slip in it. */
export function refuseRevision(
  error: unknown,
  { repo, cluster, rev }: { readonly repo: Repository; readonly cluster: Cluster; readonly rev: string },
): never {
  const noCluster = error instanceof NoRevision || error instanceof NoDirectory
  const hint = noCluster ? meantCommand(repo, cluster, [rev]) : undefined
  if (hint !== undefined)
    throw new Fatal(`cannot read '${cluster.shown}': there is no such directory`, { hint, cause: error })
  const isHost = repo.topLevel !== null && existsSync(join(repo.topLevel, cluster.path, rev))
  if (!(error instanceof NoRevision && isHost)) throw error
  throw new Fatal(error.message, { hint: hostHint(cluster, rev), cause: error })
}

function hostHint({ shown, command }: Pick<Cluster, 'shown' | 'command'>, host: string): string {
  return `'${host}' is a host of '${shown}': run '${command} ${shellWord(shown)} --limit ${host}'`
}

/**
 * Two clusters that deploy to one host would undo each other's work. A host that is no longer in its old cluster has
 * moved.
 */
export async function refuseForeign(
  cluster: Cluster,
  { hosts, source }: Snapshot,
  { tracking, repo, objects }: Deployed,
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
        hint: `a host can belong to only one cluster; if it has moved, run 'git rm -r ${shellWord(path)}'`,
      })
  }
}

/**
 * A missing directory may never have been checked out, so its hosts do not lose their apps; the hint says how to remove
 * them.
 */
export async function refuseGone(
  error: unknown,
  { name, path }: Cluster,
  { tracking, repo }: Pick<Deployed, 'tracking' | 'repo'>,
): Promise<never> {
  const hosts = [...tracking.values()].flatMap(({ host, cluster }) => (cluster === name ? [host] : []))
  if (!(error instanceof NoDirectory) || hosts.length === 0) throw error
  const elsewhere = candidates(repo).some(other =>
    hosts.some(host => existsSync(`${repo.topLevel}/${other}/${host}`)),
  )
  const { stdout } = await git(repo, ['rev-list', '-1', 'HEAD', '--', path], { okCodes: [0, 128] })
  // A tracking ref has only the cluster's name: this path may never have been the cluster's.
  if (elsewhere || stdout.length === 0) throw error
  const [was, its] = hosts.length === 1 ? ['was', 'its'] : ['were', 'their']
  throw new Fatal(error.message, {
    hint: `${names(hosts)} ${was} deployed from this directory; to remove ${its} apps, create the empty directory again ('${path}/.gitkeep') and use --prune`,
  })
}
