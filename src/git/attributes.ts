/**
 * Which files git's attributes name a filter for, such as git-crypt's or LFS's: in a commit they are in another form
 * than on disk. Git is asked only where some attributes file has the word.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join, posix } from 'node:path'
import type { Oid } from '../plan/names.ts'
import { git, type Repository } from './git.ts'
import { makeTemporary } from './temporary.ts'

export const ATTRIBUTES = '.gitattributes'

/** Of gitattributes(5), those that no tree has. `configured` is core.attributesFile. */
export function ownAttributes({ commonDir, env }: Repository, configured: string | null): string[] {
  const home = env['HOME'] ?? ''
  const standard = join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'git', 'attributes')
  const users = configured === null ? standard : configured.replace(/^~(?=\/)/, home)
  return [join(commonDir, 'info', 'attributes'), users, '/etc/gitattributes'].flatMap(readText)
}

/** Those of a directory on disk, and of the directories that it is in, up to the root of the working tree. */
export function attributesAbove(topLevel: string, path: string): string[] {
  const parts = path.split('/').filter(part => part !== '' && part !== '.')
  return parts
    .map((_, i) => parts.slice(0, i + 1).join('/'))
    .concat('')
    .flatMap(directory => readAttributes(join(topLevel, directory)))
}

export function readAttributes(directory: string): string[] {
  const path = join(directory, ATTRIBUTES)
  return existsSync(path) ? readText(path) : []
}

export function nameFilter(texts: readonly string[]): boolean {
  return texts.some(text => text.includes('filter'))
}

/** By path from the root of the repository. Only the attributes of the commit count, and those that no tree has. */
export async function filtersInCommit(
  repo: Repository,
  commit: Oid,
  paths: readonly string[],
): Promise<Map<string, string>> {
  const directory = makeTemporary(repo.gitDir, 'index-', repo.now())
  const env = { GIT_INDEX_FILE: join(directory, 'index') }
  try {
    await git(repo, ['read-tree', commit], { env })
    return await filtersOf(repo, paths, { env, args: ['--cached'] })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** The same of the working tree. */
export function filtersOnDisk(repo: Repository, paths: readonly string[]): Promise<Map<string, string>> {
  return filtersOf(repo, paths, { env: {}, args: [] })
}

async function filtersOf(
  repo: Repository,
  paths: readonly string[],
  { env, args }: { readonly env: NodeJS.ProcessEnv; readonly args: readonly string[] },
): Promise<Map<string, string>> {
  const { stdout } = await git(repo, ['check-attr', ...args, '--stdin', '-z', 'filter'], {
    ...(repo.topLevel !== null && { cwd: repo.topLevel }),
    env,
    input: paths.map(path => `${posix.normalize(path)}\0`).join(''),
  })
  const fields = stdout.toString().split('\0')
  const filters = new Map<string, string>()
  for (let i = 0; i + 2 < fields.length; i += 3)
    // A filter has a name: set or unset alone mean none.
    if (!['unspecified', 'unset', 'set'].includes(fields[i + 2]!)) filters.set(fields[i]!, fields[i + 2]!)
  return filters
}

/** What a filter stores in place of a file's content, and leaves on disk where it could not run. */
export function isStoredForm(head: Buffer): boolean {
  return STORED.some(start => head.subarray(0, start.length).equals(start))
}

export const LONGEST_START = 64

const STORED = ['version https://git-lfs.github.com/spec/', '\0GITCRYPT\0'].map(text => Buffer.from(text))

function readText(path: string): string[] {
  try {
    return [readFileSync(path, 'utf8')]
  } catch {
    // Where there is none, as a rule; git reads what it can, too.
    return []
  }
}
