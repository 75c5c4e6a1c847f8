/** The directory of this tool in git's own, for what no object and no ref can hold. */
import { chmodSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** `<gitDir>/deptool/<name>`, made where it is missing: as open to others as git's, which core.sharedRepository says. */
export function ownDirectory(gitDir: string, name = ''): string {
  const { mode } = statSync(gitDir)
  const parts = ['deptool', name].filter(Boolean)
  return parts.reduce((parent, part) => {
    const path = join(parent, part)
    if (mkdirSync(path, { recursive: true }) !== undefined) chmodSync(path, mode & 0o7777)
    return path
  }, gitDir)
}
