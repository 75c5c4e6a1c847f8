/** Git tree objects, made and written. */
import { type Oid, oid } from '../plan/names.ts'
import type { FileMode } from '../plan/tree.ts'
import { git, type Repository } from './git.ts'
import { objectName, writeOnce } from './written.ts'

export interface Entry {
  readonly mode: FileMode | '40000'
  readonly name: string
  readonly oid: Oid
}

/** A tree object that may not be in the repository yet. */
export interface Tree {
  readonly oid: Oid
  readonly entries: readonly Entry[]
}

interface TreeFile {
  /** `/`-separated. */
  readonly path: string
  readonly mode: FileMode
  readonly oid: Oid
}

/** The trees that hold the files: every tree after those that it names, so the root comes last. */
export function treesOf(files: readonly TreeFile[], format: Repository['format']): Tree[] {
  const entries: Entry[] = []
  const below = new Map<string, TreeFile[]>()
  for (const { path, mode, oid } of files) {
    const slash = path.indexOf('/')
    if (slash < 0) entries.push({ mode, name: path, oid })
    else {
      const name = path.slice(0, slash)
      const inner = below.get(name) ?? []
      inner.push({ path: path.slice(slash + 1), mode, oid })
      below.set(name, inner)
    }
  }
  const subtrees = [...below].map(([name, inner]) => ({ name, trees: treesOf(inner, format) }))
  for (const { name, trees } of subtrees) entries.push({ mode: '40000', name, oid: trees.at(-1)!.oid })
  return [...subtrees.flatMap(({ trees }) => trees), makeTree(entries, format)]
}

/** The tree with these entries, under the name that git gives it. */
export function makeTree(entries: readonly Entry[], format: Repository['format']): Tree {
  const sorted = entries
    .map(entry => ({ entry, key: Buffer.from(entry.mode === '40000' ? `${entry.name}/` : entry.name) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ entry }) => entry)
  const content = Buffer.concat(
    sorted.flatMap(({ mode, name, oid }) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]),
  )
  return { oid: objectName('tree', content, format), entries: sorted }
}

/** Puts trees into the repository. Whatever they name is there already, or is earlier in the list. */
export async function writeTrees(repo: Repository, trees: readonly Tree[]): Promise<void> {
  // Hosts have most of their trees in common.
  await writeOnce(repo, new Map(trees.map(tree => [tree.oid, tree])), missing =>
    makeTrees(repo, [...missing.values()]),
  )
}

async function makeTrees(repo: Repository, trees: readonly Tree[]): Promise<void> {
  const input = trees.map(({ entries }) => `${entries.map(mktreeLine).join('')}\0`).join('')
  // Left to check for itself, git looks too quickly to find an object that `git gc` is just moving into a pack.
  const { stdout } = await git(repo, ['mktree', '-z', '--batch', '--missing'], { input })
  const written = stdout.toString().split('\n')
  trees.forEach((tree, i) => {
    if (oid(written[i] ?? '') !== tree.oid)
      throw new Error(`git wrote the tree ${written[i]} instead of ${tree.oid}`)
  })
}

function mktreeLine({ mode, name, oid }: Entry): string {
  const type = mode === '40000' ? 'tree' : 'blob'
  return `${mode} ${type} ${oid}\t${name}\0`
}
