/** What a saved plan deploys, found in this repository: from its commit, or by the names of its trees. */
import { Fatal } from '../errors.ts'
import type { Repository } from '../git/git.ts'
import type { ObjectReader } from '../git/objects.ts'
import { type Snapshot, snapshotRevision } from '../git/snapshot.ts'
import type { Oid } from '../plan/names.ts'
import type { Cluster } from './cluster.ts'
import type { SavedPlan } from './saved-plan.ts'

/**
 * Only the hosts of the plan, without those that leave. What was saved from a commit is derived again, so any clone that
 * has the commit will do; uncommitted files exist only where they were saved. Throws Fatal if they are not here.
 */
export async function savedSnapshot(
  repo: Repository,
  cluster: Cluster,
  { source, hosts: all, leaving }: SavedPlan,
  objects: ObjectReader,
): Promise<Snapshot> {
  const hosts = all.filter(({ host }) => !leaving.includes(host))
  const meant = new Set(hosts.map(({ host }) => host))
  const commit = commitOf(source)
  if (commit === null) {
    const trees = hosts.map(({ host, toTree }) => ({ host, tree: toTree }))
    for (const { tree } of trees) await requireTree(tree, objects)
    return { hosts: trees, problems: [], source }
  }
  if ((await objects.readTyped(commit))?.type !== 'commit')
    throw new Fatal(`cannot apply the plan: its commit ${commit.slice(0, 10)} is not in this repository`, {
      hint: "run 'git fetch' to fetch what others have pushed",
    })
  const snapshot = await snapshotRevision(repo, commit, cluster.path, objects)
  return {
    hosts: snapshot.hosts.filter(({ host }) => meant.has(host)),
    problems: snapshot.problems.filter(({ file }) => [...meant].some(host => file.startsWith(`${host}/`))),
    source,
  }
}

/** The commit that holds all that is deployed; null where uncommitted changes are deployed with it. */
function commitOf(source: SavedPlan['source']): Oid | null {
  return source.kind === 'worktree' && source.dirty ? null : source.commit
}

async function requireTree(tree: Oid, objects: ObjectReader): Promise<void> {
  if ((await objects.readTyped(tree))?.type === 'tree') return
  throw new Fatal(`cannot apply the plan: its tree ${tree.slice(0, 10)} is not in this repository`, {
    hint: 'the plan contains uncommitted changes, so it can be applied only in the repository that saved it; commit them and save a new plan',
  })
}
