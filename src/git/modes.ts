/** The modes of files where the disk does not have them: core.fileMode=false says so. */
import type { FileMode } from '../plan/tree.ts'
import { git, type Repository } from './git.ts'

/** By path below the directory, as the index has them. What is not in it is not executable, as for `git add`. */
export async function indexModes(repo: Repository, dir: string): Promise<ReadonlyMap<string, FileMode>> {
  const { stdout } = await git(repo, ['ls-files', '--stage', '-z'], { cwd: dir })
  const entries = stdout.toString().split('\0').filter(Boolean)
  return new Map(
    entries.map(entry => [
      entry.slice(entry.indexOf('\t') + 1),
      entry.startsWith('100755 ') ? '100755' : '100644',
    ]),
  )
}
