/** The directory of this tool in git's own, for what no object and no ref can hold. */
import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type HostName, hostName } from '../plan/names.ts'

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

/** The hosts that have a file in it; none where it is missing. */
export function hostsIn(directory: string): HostName[] {
  try {
    return readdirSync(directory).flatMap(name => hostName(name) ?? [])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
