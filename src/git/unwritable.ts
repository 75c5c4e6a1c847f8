/** A repository that may be read and not written: on a read-only file system, of somebody else, on a full disk. */
import { accessSync, constants } from 'node:fs'
import { Fatal, reasonOf } from '../errors.ts'
import type { Oid } from '../plan/names.ts'
import { GitError, git, type Repository } from './git.ts'

/** What to throw instead of `error`; undefined where the repository can be written to. */
export function unwritable(gitDir: string, error: unknown, hint?: string): Fatal | undefined {
  const reason = error instanceof GitError ? reasonOfGit(error.stderr) : reasonOfSystem(gitDir, error)
  return reason === undefined
    ? undefined
    : new Fatal(`cannot write to the repository '${gitDir}': ${reason}`, { hint, cause: error })
}

/** For objects that could not be written. Where all of them are there already, nothing had to be; else throws. */
export async function assertThere(repo: Repository, oids: readonly Oid[], error: unknown): Promise<void> {
  const cause = unwritable(repo.commonDir, error, COMMITTED)
  if (!cause) throw error
  const input = oids.map(oid => `${oid}\n`).join('')
  const { stdout } = await git(repo, ['cat-file', '--batch-check=%(objectname)'], { input })
  if (/ missing$/m.test(stdout.toString())) throw cause
}

const COMMITTED = "to plan the last commit, run 'git deploy plan <cluster> HEAD'"

function reasonOfGit(stderr: string): string | undefined {
  const [, reason] =
    /: (Read-only file system|Permission denied|No space left on device|Disk quota exceeded)$/m.exec(
      stderr,
    ) ?? []
  if (reason !== undefined) return reason.toLowerCase()
  return stderr.includes('insufficient permission') ? 'permission denied' : undefined
}

const CODES = ['EROFS', 'EACCES', 'EPERM', 'ENOSPC', 'EDQUOT']

/** Node's recursive mkdir says of a read-only file system that a directory is missing: so it is asked once more. */
function reasonOfSystem(gitDir: string, error: unknown): string | undefined {
  const { code = '' } = error as NodeJS.ErrnoException
  if (CODES.includes(code)) return reasonOf(error)
  try {
    accessSync(gitDir, constants.W_OK)
    return undefined
  } catch (refused) {
    return reasonOf(refused)
  }
}
