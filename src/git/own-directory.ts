/** The directory of this tool in git's own, for what no object and no ref can hold. */
import { accessSync, chmodSync, constants, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type HostName, hostName } from '../plan/names.ts'
import { unwritable } from './unwritable.ts'

/** `<gitDir>/deptool/<name>`, to be written to, made where it is missing: as open to others as git's, which core.sharedRepository says. */
export function ownDirectory(gitDir: string, name = ''): string {
  const { mode } = statSync(gitDir)
  const parts = ['deptool', name].filter(Boolean)
  try {
    const directory = parts.reduce((parent, part) => makeIn(parent, part, mode), gitDir)
    accessSync(directory, constants.W_OK)
    return directory
  } catch (error) {
    throw unwritable(gitDir, error) ?? error
  }
}

function makeIn(parent: string, name: string, mode: number): string {
  const path = join(parent, name)
  if (mkdirSync(path, { recursive: true }) !== undefined) chmodSync(path, mode & 0o7777)
  return path
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
