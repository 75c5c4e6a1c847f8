/** Modes and owners of files, which Git cannot record: the manifest's 'files'. */
import { isObject, type Keys, kindOf, object, type Report } from './json.ts'
import { type AppPath, appPath } from './names.ts'

/** null: the default, which is Git's mode, and root. */
export interface FileAttributes {
  readonly path: AppPath
  /** The permission bits, at most 0o777. */
  readonly mode: number | null
  /** A name, or an id in digits. */
  readonly owner: string | null
  readonly group: string | null
}

/** Sorted by path. */
export function parseFiles(value: unknown, at: Keys, report: Report): FileAttributes[] {
  if (value === undefined) return []
  return Object.entries(object(value, at, null, report))
    .flatMap(([path, entry]) => parseFile(path, entry, [...at, path], report))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

export function attributesOf(files: readonly FileAttributes[], path: AppPath): FileAttributes | undefined {
  return files.find(file => file.path === path)
}

export function sameAttributes(a: FileAttributes | undefined, b: FileAttributes | undefined): boolean {
  return a?.mode === b?.mode && a?.owner === b?.owner && a?.group === b?.group
}

/** '0640 root:www-data'; '0640' or ':www-data' if only that is set. */
export function attributesText({ mode, owner, group }: FileAttributes): string {
  const bits = mode === null ? [] : [mode.toString(8).padStart(4, '0')]
  const accounts = `${owner ?? ''}${group === null ? '' : `:${group}`}`
  return [...bits, ...(accounts === '' ? [] : [accounts])].join(' ')
}

function parseFile(key: string, value: unknown, at: Keys, report: Report): FileAttributes[] {
  const path = appPath(key)
  if (path === undefined) {
    report(at, `'${key}' is not a path inside the app`)
    return []
  }
  const entry = object(value, at, ['mode', 'owner', 'group'], report)
  const attributes = {
    path,
    mode: parseMode(entry['mode'], [...at, 'mode'], report),
    owner: parseAccount(entry['owner'], 'user', [...at, 'owner'], report),
    group: parseAccount(entry['group'], 'group', [...at, 'group'], report),
  }
  if (Object.keys(entry).length > 0) return [attributes]
  if (isObject(value)) report(at, 'no attribute is set', "set at least one of 'mode', 'owner' and 'group'")
  return []
}

function parseMode(value: unknown, at: Keys, report: Report): number | null {
  if (value === undefined) return null
  // No set-user-ID, set-group-ID or sticky bits: configuration needs none, and a tree must not hand out root.
  if (typeof value === 'string' && /^0?[0-7]{3}$/.test(value)) return Number.parseInt(value, 8)
  const found = typeof value === 'string' ? `'${value}'` : kindOf(value)
  report(
    at,
    `${found} is not a mode`,
    "a mode is a string of octal digits from '0000' to '0777', as in '0640'",
  )
  return null
}

/** The names that both useradd(8) and systemd accept, and ids. */
const ACCOUNT = /^(?:[A-Za-z_][A-Za-z0-9_.-]{0,30}\$?|[0-9]{1,9})$/

function parseAccount(value: unknown, what: 'user' | 'group', at: Keys, report: Report): string | null {
  if (value === undefined) return null
  if (typeof value === 'string' && ACCOUNT.test(value)) return value
  const found = typeof value === 'string' ? `'${value}'` : kindOf(value)
  report(at, `${found} is not a valid ${what} name`)
  return null
}
