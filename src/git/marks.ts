/** Which hosts may not run what is on record: an empty file for each, so that a plan reads the outcomes of no other. */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostName } from '../plan/names.ts'
import type { Repository } from './git.ts'
import { hostsIn, ownDirectory } from './own-directory.ts'

/** By name. There may be one too many, after a kill: it says nothing by itself. */
export function markedHosts({ commonDir }: Repository): HostName[] {
  return hostsIn(join(commonDir, 'deptool', MARKS))
}

export async function setMark(repo: Repository, host: HostName): Promise<void> {
  try {
    // Never opened again: it may be that of somebody whose repository this is too.
    await writeFile(pathOf(repo, host), '', { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

export async function dropMark(repo: Repository, host: HostName): Promise<void> {
  await rm(pathOf(repo, host), { force: true })
}

const MARKS = 'unsettled'

function pathOf({ commonDir }: Repository, host: HostName): string {
  return join(ownDirectory(commonDir, MARKS), host)
}
