/** The links that an app declares beside its special directories: the manifest's 'symlinks'. */
import { type Keys, kindOf, object, type Report } from './json.ts'
import { type AppPath, appPath, type HostPath, hostPath } from './names.ts'
import { APPS, BASE, isInside, PLACES, SPECIAL_ROLES } from './places.ts'
import { SPECIAL } from './special-directories.ts'

export interface Symlink {
  readonly path: HostPath
  /** A file or directory of the app. */
  readonly source: AppPath
}

/** The manifest's 'symlinks', in their order. */
export function parseSymlinks(value: unknown, at: Keys, report: Report): Symlink[] {
  if (value === undefined) return []
  return Object.entries(object(value, at, null, report)).flatMap(([key, source]) =>
    parseSymlink(key, source, [...at, key], report),
  )
}

function parseSymlink(key: string, value: unknown, at: Keys, report: Report): Symlink[] {
  const path = hostPath(key)
  const source = typeof value === 'string' ? appPath(value) : undefined
  const managed = MANAGED.find(({ directory }) => key === directory || isInside(key, directory))
  if (path === undefined) report(at, `'${key}' ${whyNoHostPath(key)}`)
  else if (managed)
    report(at, `'${key}' is in '${managed.directory}', which is managed by git-deploy`, managed.hint)
  else if (source === undefined)
    report(at, `${typeof value === 'string' ? `'${value}'` : kindOf(value)} is not a path inside the app`)
  else return [{ path, source }]
  return []
}

/** Where no symlink may be declared. */
const MANAGED: readonly { readonly directory: string; readonly hint: string }[] = [
  { directory: BASE, hint: `the files of an app are below '${APPS}/<app>/current'` },
  ...SPECIAL_ROLES.map(role => ({ directory: PLACES[role], hint: SPECIAL[role].hint })),
]

function whyNoHostPath(text: string): string {
  if (/[\x00-\x1f\x7f]/.test(text)) return 'contains a control character'
  if (text.split('/').some(name => name.length > 255)) return 'contains a name longer than 255 characters'
  return "is not an absolute path without '.', '..' or a trailing '/'"
}
