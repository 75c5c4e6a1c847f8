/** Puts blobs and commits into the repository, many with one process. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { must, type Oid, oid } from '../plan/names.ts'
import type { ObjectType } from './batch-parser.ts'
import { git, type Repository } from './git.ts'
import { makeTemporary } from './temporary.ts'
import { assertThere } from './unwritable.ts'
import { objectName, writeOnce } from './written.ts'

/** Writes objects of one type, and names them in the order of `contents`. */
export async function writeObjects(
  repo: Repository,
  type: ObjectType,
  contents: readonly Uint8Array[],
): Promise<Oid[]> {
  const oids = contents.map(content => objectName(type, content, repo.format))
  const objects = new Map(oids.map((oid, i) => [oid, contents[i]!]))
  await writeOnce(repo, objects, async missing => {
    const written = await writeContents(repo, type, [...missing.values()])
    const wrong = [...missing.keys()].findIndex((oid, i) => oid !== written[i])
    if (wrong >= 0) throw new Error(`git wrote ${written[wrong]} instead of another ${type}`)
  })
  return oids
}

async function writeContents(
  repo: Repository,
  type: ObjectType,
  contents: readonly Uint8Array[],
): Promise<Oid[]> {
  if (contents.length === 1) {
    const args = ['hash-object', '-t', type, '-w', '--no-filters', '--stdin']
    return parseOids((await git(repo, args, { input: contents[0]! })).stdout)
  }
  const dir = makeTemporary(repo.gitDir, 'objects-', repo.now())
  try {
    const paths = contents.map((_, i) => join(dir, `${i}`))
    paths.forEach((path, i) => {
      writeFileSync(path, contents[i]!)
    })
    return await hashFiles(repo, type, paths)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** Writes the files at absolute paths as blobs, byte for byte: no filter, no line-ending conversion. */
export async function writeFiles(repo: Repository, paths: readonly string[]): Promise<Oid[]> {
  if (paths.length === 0) return []
  return hashFiles(repo, 'blob', paths).catch(async error => {
    const oids = await nameFiles(repo, 'blob', paths, { write: false })
    await assertThere(repo, oids, error)
    return oids
  })
}

async function hashFiles(repo: Repository, type: ObjectType, paths: readonly string[]): Promise<Oid[]> {
  const oids = await nameFiles(repo, type, paths, { write: true })
  if (oids.length !== paths.length)
    throw new Error(`git named ${oids.length} objects instead of ${paths.length}`)
  return oids
}

async function nameFiles(
  repo: Repository,
  type: ObjectType,
  paths: readonly string[],
  { write }: { readonly write: boolean },
): Promise<Oid[]> {
  const args = ['hash-object', '-t', type, ...(write ? ['-w'] : []), '--no-filters', '--stdin-paths']
  const { stdout } = await git(repo, args, { input: paths.map(path => `${quote(path)}\n`).join('') })
  return parseOids(stdout)
}

function parseOids(stdout: Buffer): Oid[] {
  return stdout
    .toString()
    .split('\n')
    .slice(0, -1)
    .map(text => must(oid, text))
}

/** A path as git reads it back from a line. */
function quote(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`
}
