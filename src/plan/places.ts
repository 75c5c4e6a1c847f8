/** The places on a host that are git-deploy's own, or that it puts links into. */
import type { AppName, HostPath } from './names.ts'

/** Whatever git-deploy keeps on a host. Outside of it are only the links that the config tree declares. */
export const BASE = '/var/lib/deptool'

/** The agents. */
export const BIN = `${BASE}/bin`

/** Each app's versions, and the link to the one that runs. */
export const APPS = `${BASE}/apps`

/** The host's copy of its history, a bare Git repository. */
export const STORE = `${BASE}/store`

/** Where the files of special directories are linked, by the role of the link. A new role begins here. */
export const PLACES = {
  unit: '/etc/systemd/system',
  quadlet: '/etc/containers/systemd',
  sysusers: '/etc/sysusers.d',
  tmpfiles: '/etc/tmpfiles.d',
} as const

export type SpecialRole = keyof typeof PLACES
export const SPECIAL_ROLES = Object.keys(PLACES) as readonly SpecialRole[]

/** What a link is for. A 'symlink' is one that a manifest declares, anywhere. */
export const LINK_ROLES = [...SPECIAL_ROLES, 'symlink'] as const
export type LinkRole = (typeof LINK_ROLES)[number]

/** The link to the version of an app that runs. */
export function currentOf(app: string): string {
  return `${APPS}/${app}/current`
}

/** The app whose files a link leads to; undefined for a link that is not git-deploy's. */
export function appBehind(target: string): AppName | undefined {
  return isInside(target, APPS) ? (target.slice(APPS.length + 1).split('/')[0] as AppName) : undefined
}

export function isInside(path: string, directory: string): boolean {
  return path.startsWith(`${directory}/`)
}

/** What a link from a special directory is for, by its path; 'symlink' if it is elsewhere. */
export function roleAt(path: HostPath): LinkRole {
  return SPECIAL_ROLES.find(role => isInside(path, PLACES[role])) ?? 'symlink'
}
