/** Where the agent keeps what is its own. Nothing of ours lies elsewhere but declared links. */
export const BASE = '/var/lib/deptool'
export const STORE = `${BASE}/store`
export const BACKUP = `${BASE}/backup`
export const JOURNAL = `${BASE}/journal`
export const LOCK = `${BASE}/lock`
export const LOG = `${BASE}/log`
/** Where a second session leaves the operator's verdict for the agent that waits for it. */
export const VERDICT = `${BASE}/verdict`

/** The directory's part of a path: '/a' for '/a/b', '/' for '/a'. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/'
}

export function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
