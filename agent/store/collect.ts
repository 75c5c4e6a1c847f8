import type { Oid } from '../../src/plan/names.ts'
import { APPS, currentOf } from '../../src/plan/places.ts'
import { isDiskError } from '../host/errors.ts'
import { removeTree } from '../host/files.ts'
import type { Files } from '../host/machine.ts'
import { BACKUP, previousOf, versionName } from '../host/paths.ts'

/** The most deployments whose backups are kept. */
const BACKUPS = 20

/** After an undo: the version directories of `commit`, and app directories that are then empty. */
export function collectVersion(files: Files, commit: Oid): void {
  const version = versionName(commit)
  for (const app of files.list(APPS) ?? []) {
    if (!isDirectory(files, `${APPS}/${app}`) || files.readlink(currentOf(app)) === version) continue
    drop(files, `${APPS}/${app}/${version}`)
    files.rmdir(`${APPS}/${app}`)
  }
}

/** A symbolic link that somebody has put in its place is not followed. */
function isDirectory(files: Files, path: string): boolean {
  return files.stat(path)?.kind === 'directory'
}

/** After a confirmation: all versions except `current` and `previous`, removed apps, and old backups. */
export function collectOld(files: Files, apps: ReadonlySet<string>): void {
  for (const app of files.list(APPS) ?? []) {
    if (!apps.has(app)) {
      drop(files, `${APPS}/${app}`)
      continue
    }
    if (!isDirectory(files, `${APPS}/${app}`)) continue
    const keep = new Set([
      'current',
      'previous',
      files.readlink(currentOf(app)),
      files.readlink(previousOf(app)),
    ])
    for (const name of files.list(`${APPS}/${app}`) ?? [])
      if (!keep.has(name)) drop(files, `${APPS}/${app}/${name}`)
  }
  for (const old of (files.list(BACKUP) ?? []).slice(0, -BACKUPS)) drop(files, `${BACKUP}/${old}`)
}

/** What cannot be removed (something is mounted there, or it is immutable) is left to a later deployment. */
function drop(files: Files, path: string): void {
  try {
    removeTree(files, path)
  } catch (error) {
    if (isDiskError(error)) throw error
  }
}
