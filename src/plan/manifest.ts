/** An app's manifest.json: what it may say, and what is wrong with it. gitdeploy-tree(5) describes it for people. */
import { type FileAttributes, parseFiles } from './attributes.ts'
import { type Check, parseChecks } from './checks.ts'
import { type Keys, kindOf, list, milliseconds, object, type Report, repeatedKey } from './json.ts'
import { type AppPath, appPath, type HostPath, hostPath, type UnitName, unitName } from './names.ts'
import type { Problem } from './problem.ts'

export interface Manifest {
  readonly unitsEnabled: readonly UnitName[]
  /** The enabled units that are reloaded, not restarted, when only files outside systemd/ changed. */
  readonly unitsReload: readonly UnitName[]
  /** How long a unit of Type=simple or exec is watched before it counts as running, in milliseconds. */
  readonly settleMs: number
  readonly symlinks: readonly { readonly path: HostPath; readonly source: AppPath }[]
  readonly files: readonly FileAttributes[]
  /** Commands that must succeed in a new version's directory before anything is switched. */
  readonly validate: readonly (readonly string[])[]
  readonly checks: readonly Check[]
}

export const SETTLE_MS = 300
export const NO_MANIFEST: Manifest = {
  unitsEnabled: [],
  unitsReload: [],
  settleMs: SETTLE_MS,
  symlinks: [],
  files: [],
  validate: [],
  checks: [],
}

/** Where links of ours are made from special directories, and where our own files are: no symlink may go there. */
export const MANAGED = [
  '/var/lib/deptool',
  '/etc/systemd/system',
  '/etc/containers/systemd',
  '/etc/sysusers.d',
  '/etc/tmpfiles.d',
] as const

export const MANIFEST_KEYS = ['systemd', 'symlinks', 'files', 'validate', 'checks'] as const

/** The manifest in `text`; what is wrong with it goes to `problems`, and what is not is used. */
export function parseManifest(file: string, text: string, problems: Problem[]): Manifest {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    const what = text.startsWith('\ufeff') ? 'it begins with a byte order mark' : 'it is not valid JSON'
    problems.push({ file, at: 'syntax', what })
    return NO_MANIFEST
  }
  const report: Report = (at, what, hint) =>
    problems.push({ file, at, what, ...(hint === undefined ? {} : { hint }) })
  const twice = repeatedKey(text)
  if (twice) report(twice, `'${twice[twice.length - 1]}' is there twice`, 'the last one would count')
  const top = object(json, [], MANIFEST_KEYS, report)
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
        ['systemd', 'units_reload', (systemd['units_reload'] as readonly unknown[]).indexOf(unit)],
        `'${unit}' is not in units_enabled`,
        'only an enabled unit can be reloaded instead of restarted',
      )
  return {
    unitsEnabled,
    unitsReload,
    settleMs: milliseconds(
      systemd['settle_ms'],
      { from: 0, fallback: SETTLE_MS },
      ['systemd', 'settle_ms'],
      report,
    ),
    symlinks: symlinks(top['symlinks'], report),
    files: parseFiles(top['files'], report),
    validate: commands(top['validate'], report),
    checks: parseChecks(top['checks'], report),
  }
}

function units(value: unknown, at: Keys, report: Report): UnitName[] {
  const names: UnitName[] = []
  list(value, 'unit names', at, report).forEach((item, index) => {
    const name = typeof item === 'string' ? unitName(item) : undefined
    if (name === undefined)
      report(
        [...at, index],
        typeof item === 'string'
          ? `'${item}' is not a unit name`
          : `expected a unit name, found ${kindOf(item)}`,
        "a unit name ends in its type, as in 'nginx.service'",
      )
    else if (name.includes('@.'))
      report(
        [...at, index],
        `'${name}' is a template, and starts nothing`,
        `name its instances, as in '${name.replace('@.', '@one.')}'`,
      )
    else if (names.includes(name)) report([...at, index], `'${name}' is listed twice`)
    else names.push(name)
  })
  return names.sort()
}

function whyNoHostPath(text: string): string {
  if (/[\x00-\x1f\x7f]/.test(text)) return 'contains a control character'
  if (text.split('/').some(name => name.length > 255)) return 'contains a name of over 255 characters'
  return "is not an absolute path without '.', '..' or a trailing '/'"
}

function symlinks(value: unknown, report: Report): { path: HostPath; source: AppPath }[] {
  if (value === undefined) return []
  return Object.entries(object(value, ['symlinks'], null, report)).flatMap(([key, source]) => {
    const at = ['symlinks', key]
    const path = hostPath(key)
    const inside = typeof source === 'string' ? appPath(source) : undefined
    const managed = MANAGED.find(dir => key === dir || key.startsWith(`${dir}/`))
    if (path === undefined) report(at, `'${key}' ${whyNoHostPath(key)}`)
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

/** Never for a shell: each command is a list of a program and its arguments. */
function commands(value: unknown, report: Report): (readonly string[])[] {
  return list(value, 'commands', ['validate'], report).flatMap((item, index) => {
    const at = ['validate', index]
    const words = Array.isArray(item) ? (item as readonly unknown[]) : []
    if (words.length > 0 && words[0] !== '' && words.every(isWord)) return [words]
    const hint = `a command is a list of a program and its arguments, as in ["nginx", "-t"]`
    report(at, `${typeof item === 'string' ? `'${item}'` : kindOf(item)} is not a command`, hint)
    return []
  })
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0')
}
