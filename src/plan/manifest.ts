/** An app's manifest.json: what it may say, and what is wrong with it. gitdeploy-tree(5) describes it for people. */
import { type AppPath, appPath, type HostPath, hostPath, type UnitName, unitName } from './names.ts'
import type { Problem } from './problem.ts'

export interface Manifest {
  readonly unitsEnabled: readonly UnitName[]
  /** The enabled units that are reloaded, not restarted, when only files outside systemd/ changed. */
  readonly unitsReload: readonly UnitName[]
  /** How long a unit of Type=simple or exec is watched before it counts as running, in milliseconds. */
  readonly settleMs: number
  readonly symlinks: readonly { readonly path: HostPath; readonly source: AppPath }[]
}

export const SETTLE_MS = 300
export const NO_MANIFEST: Manifest = { unitsEnabled: [], unitsReload: [], settleMs: SETTLE_MS, symlinks: [] }

/** Where links of ours are made from special directories, and where our own files are: no symlink may go there. */
export const MANAGED = [
  '/var/lib/deptool',
  '/etc/systemd/system',
  '/etc/containers/systemd',
  '/etc/sysusers.d',
  '/etc/tmpfiles.d',
] as const

type Keys = readonly (string | number)[]
type Report = (at: Keys, what: string, hint?: string) => void

/** The manifest in `text`; what is wrong with it goes to `problems`, and what is not is used. */
export function parseManifest(file: string, text: string, problems: Problem[]): Manifest {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    problems.push({ file, at: 'syntax', what: 'it is not valid JSON' })
    return NO_MANIFEST
  }
  const report: Report = (at, what, hint) =>
    problems.push({ file, at, what, ...(hint === undefined ? {} : { hint }) })
  const top = object(json, [], ['systemd', 'symlinks'], report)
  const systemd = object(
    top['systemd'] ?? {},
    ['systemd'],
    ['units_enabled', 'units_reload', 'settle_ms'],
    report,
  )
  const unitsEnabled = units(systemd['units_enabled'], ['systemd', 'units_enabled'], report)
  const unitsReload = units(systemd['units_reload'], ['systemd', 'units_reload'], report)
  for (const unit of unitsReload)
    if (!unitsEnabled.includes(unit))
      report(
        ['systemd', 'units_reload', unitsReload.indexOf(unit)],
        `'${unit}' is not in units_enabled`,
        'only an enabled unit can be reloaded instead of restarted',
      )
  return {
    unitsEnabled,
    unitsReload,
    settleMs: settle(systemd['settle_ms'], report),
    symlinks: symlinks(top['symlinks'], report),
  }
}

/** The value, or an empty object. `allowed` null: any key. */
function object(
  value: unknown,
  at: Keys,
  allowed: readonly string[] | null,
  report: Report,
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    report(at, `expected an object, found ${kindOf(value)}`)
    return {}
  }
  for (const key of Object.keys(value))
    if (allowed?.includes(key) === false) report([...at, key], `unknown key '${key}'`, suggest(key, allowed))
  return value as Record<string, unknown>
}

function units(value: unknown, at: Keys, report: Report): UnitName[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) {
    report(at, `expected a list of unit names, found ${kindOf(value)}`)
    return []
  }
  const names: UnitName[] = []
  value.forEach((item: unknown, index) => {
    const name = typeof item === 'string' ? unitName(item) : undefined
    if (name === undefined)
      report(
        [...at, index],
        typeof item === 'string'
          ? `'${item}' is not a unit name`
          : `expected a unit name, found ${kindOf(item)}`,
        "a unit name ends in its type, as in 'nginx.service'",
      )
    else if (names.includes(name)) report([...at, index], `'${name}' is listed twice`)
    else names.push(name)
  })
  return names.sort()
}

function settle(value: unknown, report: Report): number {
  if (value === undefined) return SETTLE_MS
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 60_000) return value
  report(['systemd', 'settle_ms'], 'expected a whole number of milliseconds from 0 to 60000')
  return SETTLE_MS
}

function symlinks(value: unknown, report: Report): { path: HostPath; source: AppPath }[] {
  if (value === undefined) return []
  return Object.entries(object(value, ['symlinks'], null, report)).flatMap(([key, source]) => {
    const at = ['symlinks', key]
    const path = hostPath(key)
    const inside = typeof source === 'string' ? appPath(source) : undefined
    const managed = MANAGED.find(dir => key === dir || key.startsWith(`${dir}/`))
    if (path === undefined) report(at, `'${key}' is not an absolute path without '.', '..' or a trailing '/'`)
    else if (managed !== undefined)
      report(at, `'${key}' is in '${managed}', which is managed by git-deploy`, HINTS[managed])
    else if (inside === undefined)
      report(
        at,
        `${typeof source === 'string' ? `'${source}'` : kindOf(source)} is not a path inside the app`,
      )
    else return [{ path, source: inside }]
    return []
  })
}

const HINTS: { readonly [dir in (typeof MANAGED)[number]]: string } = {
  '/var/lib/deptool': "the files of an app are below '/var/lib/deptool/apps/<app>/current'",
  '/etc/systemd/system': "units and drop-ins go into the app's 'systemd' directory",
  '/etc/containers/systemd': "quadlets go into the app's 'quadlets' directory",
  '/etc/sysusers.d': "sysusers files go into the app's 'sysusers' directory",
  '/etc/tmpfiles.d': "tmpfiles files go into the app's 'tmpfiles' directory",
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** A hint that names the allowed word nearest to a mistyped one, or all of them where none is near. */
export function suggest(word: string, allowed: readonly string[]): string {
  const [near] = allowed
    .map(other => ({ other, distance: editDistance(word.toLowerCase(), other.toLowerCase()) }))
    .filter(({ other, distance }) => distance <= Math.max(1, Math.floor(other.length / 3)))
    .sort((a, b) => a.distance - b.distance)
  return near ? `did you mean '${near.other}'?` : `known here: ${allowed.map(name => `'${name}'`).join(', ')}`
}

/** Levenshtein's distance: single-character insertions, deletions and substitutions from `a` to `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1))
    row = next
  }
  return row[b.length]!
}
