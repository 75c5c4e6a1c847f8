/** What git is in the middle of: then HEAD, and what is on disk, may be something that nobody means to keep. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Repository } from './git.ts'

export interface Underway {
  readonly kind: (typeof SIGNS)[number][1]
  /** The branch that it began on; null where that is HEAD's, or none. */
  readonly of: string | null
}

/** By the files that git has meanwhile, as its own prompt does it. */
const SIGNS = [
  ['rebase-merge', 'rebase'],
  ['rebase-apply', 'rebase'],
  ['BISECT_LOG', 'bisect'],
  ['MERGE_HEAD', 'merge'],
  ['CHERRY_PICK_HEAD', 'cherry-pick'],
  ['REVERT_HEAD', 'revert'],
] as const

export function underway({ gitDir }: Repository): Underway | null {
  const found = SIGNS.find(([file]) => existsSync(join(gitDir, file)))
  if (found === undefined) return null
  const [file, kind] = found
  const branch =
    kind === 'rebase'
      ? read(gitDir, file, 'head-name')
      : kind === 'bisect'
        ? read(gitDir, 'BISECT_START')
        : ''
  // A bisect that began on a detached HEAD has its commit there.
  const of = branch === '' || /^[0-9a-f]{40,64}$/.test(branch) ? null : branch.replace(/^refs\/heads\//, '')
  return { kind, of: of === 'detached HEAD' ? null : of }
}

function read(...path: readonly string[]): string {
  try {
    return readFileSync(join(...path), 'utf8').trimEnd()
  } catch {
    // It has ended since.
    return ''
  }
}
