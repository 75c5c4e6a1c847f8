/** Files that a merge has left in conflict: git's index knows them, whichever command has merged. */
import { readFileSync, type Stats, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { git, type Repository } from './git.ts'
import { ownDirectory } from './own-directory.ts'

/**
 * Their paths are from the root of the repository. Git is asked once for each index: what is remembered is the one that
 * had none.
 */
export async function unmergedFiles(repo: Repository): Promise<string[]> {
  const index = statSync(join(repo.gitDir, 'index'), { throwIfNoEntry: false })
  if (index === undefined) return []
  const stamp = stampOf(index)
  if (stamp === remembered(repo)) return []
  const { stdout } = await git(repo, ['ls-files', '--unmerged', '--full-name', '-z'], {
    ...(repo.topLevel !== null && { cwd: repo.topLevel }),
  })
  const lines = stdout.toString().split('\0').filter(Boolean)
  if (lines.length === 0) remember(repo, stamp, index)
  return [...new Set(lines.map(line => line.slice(line.indexOf('\t') + 1)))]
}

const MAGIC = 'deptool-merged/1'

function stampOf({ ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [MAGIC, ino, size, mtimeMs, ctimeMs].join(' ')
}

const FILE = 'merged'

function remembered({ gitDir }: Repository): string | undefined {
  try {
    return readFileSync(join(gitDir, 'deptool', FILE), 'utf8')
  } catch {
    // It only saves time.
    return undefined
  }
}

/** Not an index that may change again within one tick of the file system's clock, which its stamp would not show. */
function remember(repo: Repository, stamp: string, { ctimeMs }: Stats): void {
  if (repo.now().getTime() - ctimeMs < 20) return
  try {
    writeFileSync(join(ownDirectory(repo.gitDir), FILE), stamp)
  } catch {
    // Somebody who may only read the repository can plan all the same; it takes longer.
  }
}
