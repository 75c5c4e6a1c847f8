import type { DeploymentId } from '../../src/plan/deployment-id.ts'
import type { Oid } from '../../src/plan/names.ts'
import { APPS, currentOf } from '../../src/plan/places.ts'
import { isDiskError } from '../host/errors.ts'
import { removeTree } from '../host/files.ts'
import type { Files } from '../host/machine.ts'
import { BACKUP, previousOf, versionName } from '../host/paths.ts'
import { versionsInUse } from '../systemd/old-versions.ts'
import { inOrder } from './outcomes.ts'

/** The most deployments whose backups are kept. */
const BACKUPS = 20

/**
 * After an undo: the version directories of `commit`, and app directories that are then empty. If it had been switched to,
 * those that a process uses stay. Otherwise, only a validate command can be left of a killed agent.
 */
export function collectVersion(files: Files, commit: Oid, wasSwitched: boolean): void {
  const version = versionName(commit)
  const isUsed = wasSwitched ? usesOf(files) : () => false
  for (const app of files.list(APPS) ?? []) {
    if (!isDirectory(files, `${APPS}/${app}`) || files.readlink(currentOf(app)) === version) continue
    const directory = `${APPS}/${app}/${version}`
    if (files.stat(directory) && !isUsed(app, version)) drop(files, directory)
    files.rmdir(`${APPS}/${app}`)
  }
}

/** A symbolic link that somebody has put in its place is not followed. */
function isDirectory(files: Files, path: string): boolean {
  return files.stat(path)?.kind === 'directory'
}

interface Ended {
  readonly id: DeploymentId
  /** That are there now. */
  readonly apps: ReadonlySet<string>
}

/**
 * After a confirmation: all versions except `current`, `previous` and those that a process still uses, removed apps, and
 * old backups.
 */
export function collectOld(files: Files, { id, apps }: Ended): void {
  const isUsed = usesOf(files)
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
      if (!keep.has(name) && !isUsed(app, name)) drop(files, `${APPS}/${app}/${name}`)
  }
  for (const old of oldBackups(files, id)) drop(files, `${BACKUP}/${old}`)
}

/** By the host's own record: ids begin with the time of an operator's clock, which may be wrong. */
function oldBackups(files: Files, ending: DeploymentId): string[] {
  const all = files.list(BACKUP) ?? []
  const others = all.filter(name => name !== ending)
  const most = BACKUPS - (all.length - others.length)
  if (others.length <= most) return []
  const recorded = inOrder(files, others)
  const unknown = others.filter(name => !recorded.includes(name))
  return [...unknown, ...recorded].slice(0, -most)
}

/** Looks at the processes when it is asked for the first time, which takes some milliseconds. */
function usesOf(files: Files): (app: string, version: string) => boolean {
  let used: ReadonlySet<string> | undefined
  return (app, version) => {
    used ??= versionsInUse(files)
    return used.has(`${app}/${version}`)
  }
}

/** What cannot be removed (something is mounted there, or it is immutable) is left to a later deployment. */
function drop(files: Files, path: string): void {
  try {
    removeTree(files, path)
  } catch (error) {
    if (isDiskError(error)) throw error
  }
}
