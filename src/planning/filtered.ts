/** Files that a filter changes between a commit and the disk: a revision has them in a form that no host can use. */
import { posix } from 'node:path'
import { ATTRIBUTES, filtersInCommit, nameFilter, ownAttributes } from '../git/attributes.ts'
import type { Config } from '../git/config.ts'
import type { Repository } from '../git/git.ts'
import type { ObjectReader } from '../git/objects.ts'
import type { Source } from '../git/snapshot.ts'
import type { HostState } from '../plan/host-state.ts'
import type { HostName, Oid } from '../plan/names.ts'
import type { Problem } from '../plan/problem.ts'
import { shellWord } from '../terminal/shell-word.ts'
import type { Cluster } from './cluster.ts'

interface Examined {
  readonly repo: Repository
  readonly cluster: Cluster
  readonly config: Pick<Config, 'attributesFile'>
  readonly objects: ObjectReader
}

interface StateOf {
  readonly host: HostName
  readonly state: HostState
}

/** None where the files are those of the disk, or of the index. Paths are below the cluster's directory. */
export async function filterProblems(
  examined: Examined,
  source: Source,
  states: readonly StateOf[],
): Promise<Problem[]> {
  if (source.kind !== 'revision' || source.rev === '') return []
  if (!(await mayFilter(examined, source.commit, states))) return []
  const { repo, cluster } = examined
  const files = states.flatMap(({ host, state }) =>
    state.apps.flatMap(({ name, files }) => files.map(({ path }) => `${host}/${name}/${path}`)),
  )
  const filters = await filtersInCommit(
    repo,
    source.commit,
    files.map(file => posix.join(cluster.path, file)),
  )
  return files.flatMap(file => {
    const filter = filters.get(posix.join(cluster.path, file))
    if (filter === undefined) return []
    return [
      {
        file,
        what: `cannot be deployed from a revision: the filter '${filter}' has stored it in another form`,
        hint: `deploy from the working tree, where Git has run the filter: '${cluster.command} ${shellWord(cluster.shown)}'`,
      },
    ]
  })
}

async function mayFilter(
  { repo, cluster, config, objects }: Examined,
  commit: Oid,
  states: readonly StateOf[],
): Promise<boolean> {
  if (nameFilter(ownAttributes(repo, config.attributesFile))) return true
  const parts = cluster.path.split('/').filter(part => part !== '.')
  const directories = [
    ...parts.map((_, i) => parts.slice(0, i).join('/')),
    cluster.path,
    ...states.map(({ host }) => posix.join(cluster.path, host)),
  ]
  const inApps = states.flatMap(({ state }) =>
    state.apps.flatMap(({ files }) =>
      files.flatMap(({ path, oid }) => (posix.basename(path) === ATTRIBUTES ? [oid] : [])),
    ),
  )
  const names = [...directories.map(path => `${commit}:${posix.join(path, ATTRIBUTES)}`), ...inApps]
  const found = await Promise.all(names.map(name => objects.readTyped(name)))
  return nameFilter(found.map(object => (object ? Buffer.from(object.content).toString() : '')))
}
