/** Which entries of a config tree are hosts and apps: the same rules for a directory on disk and for a git tree. */
import { type AppName, appName, type HostName, hostName } from '../plan/names.ts'
import type { Problem } from '../plan/problem.ts'

/** The longest file that is deployed, in bytes: what a host has, others must be able to take from it. */
export const MAX_CONTENT = 512 * 1024 * 1024

export interface LayoutEntry {
  readonly name: string
  readonly kind: 'directory' | 'link' | 'other'
  /** Why it could not be deployed, whatever it is. */
  readonly refused?: string | undefined
}

/** The host that an entry of the cluster's directory is; undefined for one that does not count. */
export function hostOf(entry: LayoutEntry, problems: Problem[]): HostName | undefined {
  if (!isCandidate(entry, entry.name, problems)) return undefined
  const host = hostName(entry.name)
  if (host === undefined)
    problems.push({
      file: entry.name,
      what: `'${entry.name}' is not a valid host name`,
      hint: 'if this directory is not a host, hide it with a dot in front of its name',
    })
  return host
}

/** The app that an entry of a host's directory is; undefined for one that does not count. */
export function appOf(entry: LayoutEntry, host: HostName, problems: Problem[]): AppName | undefined {
  const file = `${host}/${entry.name}`
  if (!isCandidate(entry, file, problems)) return undefined
  const app = appName(entry.name)
  if (app === undefined) problems.push({ file, what: `'${entry.name}' is not a valid app name` })
  return app
}

function isCandidate({ name, kind, refused }: LayoutEntry, file: string, problems: Problem[]): boolean {
  if (name.startsWith('.') || (kind === 'other' && !refused)) return false
  if (refused) problems.push(refusal(file, refused))
  else if (kind === 'link')
    problems.push({
      file,
      what: 'a host or an app cannot be a symbolic link',
      hint: 'make it a directory, or hide it with a dot in front of its name',
    })
  return kind === 'directory' && !refused
}

export function refusal(file: string, why: string): Problem {
  return { file, what: `cannot be deployed: ${why}` }
}
