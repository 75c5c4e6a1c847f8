/** Whether commits are contained in what is deployed. As a rule they are, and few commits away. */
import { parseCommit } from '../git/commit-object.ts'
import { git, type Repository } from '../git/git.ts'
import type { ObjectReader } from '../git/objects.ts'
import { type Oid, oid } from '../plan/names.ts'

interface Found {
  /** Ancestors of the tip, and the tip itself. */
  readonly contained: ReadonlySet<Oid>
  /** Those that are not in this repository. */
  readonly missing: ReadonlySet<Oid>
}

/** `repo` is asked only for what is further away than some steps, or not contained at all. */
export async function findContained(
  commits: ReadonlySet<Oid>,
  tip: Oid,
  { repo, objects }: { readonly repo: Repository; readonly objects: ObjectReader },
): Promise<Found> {
  const left = new Set(commits)
  left.delete(tip)
  let level: Oid[] = left.size > 0 ? [tip] : []
  const seen = new Set(level)
  for (let step = 0; step < NEAR && level.length > 0 && left.size > 0; step++) {
    const read = await Promise.all(level.map(commit => objects.readTyped(commit)))
    const parents = read.flatMap(one => (one?.type === 'commit' ? parseCommit(one.content).parents : []))
    level = [...new Set(parents)].filter(parent => !seen.has(parent))
    for (const parent of level) {
      seen.add(parent)
      left.delete(parent)
    }
  }
  const there = await Promise.all(
    [...left].map(async commit => ((await objects.readTyped(commit))?.type === 'commit' ? [commit] : [])),
  )
  const present = new Set(there.flat())
  const missing = new Set([...left].filter(commit => !present.has(commit)))
  const outside = level.length === 0 ? present : await notReached(repo, [...present], tip)
  const contained = [...commits].filter(commit => !missing.has(commit) && !outside.has(commit))
  return { contained: new Set(contained), missing }
}

/** A round trip to a process that is there takes a fortieth of what a new one takes. */
const NEAR = 32

async function notReached(repo: Repository, commits: readonly Oid[], tip: Oid): Promise<ReadonlySet<Oid>> {
  if (commits.length === 0) return new Set()
  const { stdout } = await git(repo, ['rev-list', '--stdin'], {
    input: [`^${tip}`, ...commits, ''].join('\n'),
  })
  const outside = stdout.toString().split('\n')
  return new Set(outside.flatMap(line => oid(line) ?? []))
}

/** Null where they have no history in common, or this clone is too shallow to know. */
export async function mergeBase(repo: Repository, a: Oid, b: Oid): Promise<Oid | null> {
  const { stdout } = await git(repo, ['merge-base', a, b], { okCodes: [0, 1] })
  return oid(stdout.toString().trim()) ?? null
}
