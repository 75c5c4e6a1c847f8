/** Where the agent keeps what it needs besides apps and history. */

import type { DeploymentId } from '../../src/plan/deployment-id.ts'
import type { AppName, HostPath, Oid } from '../../src/plan/names.ts'
import { APPS, BASE } from '../../src/plan/places.ts'

export const BACKUP = `${BASE}/backup`
export const JOURNAL = `${BASE}/journal`
/** A journal that could not be read: what its deployment had changed is unknown until a repair. */
export const DAMAGED_JOURNAL = `${BASE}/journal.damaged`
export const LOCK = `${BASE}/lock`
export const INVENTORY = `${BASE}/inventory`
export const LOG = `${BASE}/log`
/** The operator's decision, from another session than the deployment's. */
export const VERDICT = `${BASE}/verdict`

/** The name of the version directories that a deployment of `commit` makes. */
export function versionName(commit: Oid): string {
  return commit.slice(0, 10)
}

/** Whether a name, or the target of `current`, is one that versionName gives. */
export function isVersion(name: string): boolean {
  return /^[0-9a-f]{10}$/.test(name)
}

export function versionPath(app: AppName, commit: Oid): string {
  return `${APPS}/${app}/${versionName(commit)}`
}

/** The link to the version of an app that ran before. */
export function previousOf(app: string): string {
  return `${APPS}/${app}/previous`
}

/** Under its own path, so that an operator finds it. */
export function backupPath(id: DeploymentId, path: HostPath): HostPath {
  return `${BACKUP}/${id}${path}` as HostPath
}

/** '/a' for '/a/b', '/' for '/a'. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
