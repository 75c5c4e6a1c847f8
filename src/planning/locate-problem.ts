/** From a problem in a config tree to the file that an operator can open, on disk or in a commit. */
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import type { Repository } from '../git/git.ts'
import type { ObjectReader } from '../git/objects.ts'
import type { Source } from '../git/snapshot.ts'
import type { Problem } from '../plan/problem.ts'
import type { LocatedProblem } from '../terminal/text/problems.ts'
import type { Cluster } from './cluster.ts'

export interface Whereabouts {
  readonly repo: Repository
  readonly cluster: Cluster
  readonly source: Source
  readonly objects: ObjectReader
}

/** The problem's file is below the cluster's directory. */
export async function locateIn(
  problem: Problem,
  { repo, cluster, source, objects }: Whereabouts,
): Promise<LocatedProblem> {
  const { file, at } = problem
  const inRepository = posix.join(cluster.path, file)
  if (source.kind === 'revision') {
    const name = `${source.commit}:${inRepository}`
    const object = at === undefined ? undefined : await objects.readTyped(name)
    return {
      ...problem,
      shown: `${source.rev}:${inRepository}`,
      text: object ? textOf(object.content) : null,
    }
  }
  const text = at === undefined ? null : readText(posix.join(repo.topLevel ?? '', inRepository))
  return { ...problem, shown: posix.relative(repo.prefix, inRepository), text }
}

function readText(path: string): string | null {
  try {
    return textOf(readFileSync(path))
  } catch {
    // The file has been deleted since: the problem is shown without its line.
    return null
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
