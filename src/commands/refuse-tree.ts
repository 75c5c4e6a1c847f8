/** The end of a command that met a config tree which cannot be deployed: everything wrong with it, at once. */
import { posix } from 'node:path'
import { Fatal } from '../errors.ts'
import type { Repository } from '../git/git.ts'
import type { ObjectReader } from '../git/objects.ts'
import type { Source } from '../git/snapshot.ts'
import type { Problem } from '../plan/problem.ts'
import { type LocatedProblem, renderProblems } from '../terminal/problems.ts'
import type { Cluster } from './cluster.ts'
import type { Context } from './context.ts'

export interface Refused {
  readonly repo: Repository
  readonly cluster: Cluster
  readonly source: Source
  readonly objects: ObjectReader
  readonly context: Context
}

export async function refuseTree(problems: readonly Problem[], refused: Refused): Promise<never> {
  const { cluster, context } = refused
  const located = await Promise.all(problems.map(problem => locateIn(problem, refused)))
  for (const line of await renderProblems(located)) context.terminal.note(line)
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  throw new Fatal(`cannot plan '${cluster.name}': ${count} in the config tree`)
}

async function locateIn(
  problem: Problem,
  { repo, cluster, source, objects }: Refused,
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
  const text = at === undefined ? null : await readText(posix.join(repo.topLevel ?? '', inRepository))
  return { ...problem, shown: posix.relative(repo.prefix, inRepository), text }
}

async function readText(path: string): Promise<string | null> {
  const { readFile } = await import('node:fs/promises')
  try {
    return textOf(await readFile(path))
  } catch {
    // It is gone again: the problem is told without its line.
    return null
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}
