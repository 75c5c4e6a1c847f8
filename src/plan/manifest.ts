/** An app's manifest.json: what it may say, and what is wrong with it. gitdeploy-tree(5) describes it for people. */
import { type FileAttributes, parseFiles } from './attributes.ts'
import { type Check, parseChecks } from './checks.ts'
import { type Keys, kindOf, list, milliseconds, object, type Report, repeatedKey } from './json.ts'
import { type UnitName, unitName } from './names.ts'
import type { Problem } from './problem.ts'
import { parseSymlinks, type Symlink } from './symlinks.ts'

export interface Manifest {
  readonly unitsEnabled: readonly UnitName[]
  /** The enabled units that are reloaded, not restarted, when only files outside systemd/ changed. */
  readonly unitsReload: readonly UnitName[]
  /** How long a unit of Type=simple or exec is watched before it counts as running, in milliseconds. */
  readonly settleMs: number
  readonly symlinks: readonly Symlink[]
  readonly files: readonly FileAttributes[]
  /** Commands that must succeed in a new version's directory before anything is switched. */
  readonly validate: readonly (readonly string[])[]
  readonly checks: readonly Check[]
}

export const SETTLE_MS = 300

interface Field<T> {
  /** The keys that lead to it. */
  readonly at: readonly [string] | readonly [string, string]
  /**
   * What the value says, as far as nothing is wrong with it; the default for undefined. `siblings` is the object that
   * the value stands in.
   */
  readonly parse: (value: unknown, at: Keys, report: Report, siblings: Record<string, unknown>) => T
}

const FIELDS: { readonly [K in keyof Manifest]: Field<Manifest[K]> } = {
  unitsEnabled: { at: ['systemd', 'units_enabled'], parse: units },
  unitsReload: { at: ['systemd', 'units_reload'], parse: enabledUnits },
  settleMs: { at: ['systemd', 'settle_ms'], parse: settleMs },
  symlinks: { at: ['symlinks'], parse: parseSymlinks },
  files: { at: ['files'], parse: parseFiles },
  validate: { at: ['validate'], parse: commands },
  checks: { at: ['checks'], parse: parseChecks },
}

/** The keys of a manifest, each with the keys of its object where those are known. */
export const MANIFEST_KEYS = keysOf(Object.values(FIELDS))

export const NO_MANIFEST = readFields({}, () => {})

/** The manifest in `text`; what is wrong with it goes to `problems`, and what is not is used. */
export function parseManifest(file: string, text: string, problems: Problem[]): Manifest {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    const what = text.startsWith('\ufeff')
      ? 'the file begins with a byte order mark'
      : 'the file is not valid JSON'
    problems.push({ file, at: 'syntax', what })
    return NO_MANIFEST
  }
  const report: Report = (at, what, hint, kind) =>
    problems.push({
      ...{ file, at, what },
      ...(hint === undefined ? {} : { hint }),
      ...(kind === undefined ? {} : { kind }),
    })
  const twice = repeatedKey(text)
  if (twice)
    report(
      twice,
      `duplicate key '${twice[twice.length - 1]}'`,
      'remove one of the two: JSON parsers use only the last one',
    )
  return readFields(json, report)
}

function readFields(json: unknown, report: Report): Manifest {
  const top = object(json, [], [...MANIFEST_KEYS.keys()], report)
  const objects = new Map<string, Record<string, unknown>>()
  for (const [key, inner] of MANIFEST_KEYS)
    if (inner.length > 0) objects.set(key, object(top[key] ?? {}, [key], inner, report))
  const read = ({ at, parse }: Field<unknown>) => {
    const [key, inner] = at
    const siblings = inner === undefined ? top : objects.get(key)!
    return parse(siblings[inner ?? key], at, report, siblings)
  }
  // FIELDS has every field of a manifest, each with a parser for its type.
  return Object.fromEntries(
    Object.entries(FIELDS).map(([name, field]) => [name, read(field)]),
  ) as unknown as Manifest
}

function keysOf(fields: readonly Field<unknown>[]): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, string[]>()
  for (const { at } of fields) keys.set(at[0], [...(keys.get(at[0]) ?? []), ...at.slice(1)])
  return keys
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
        `'${name}' is a template, not a unit`,
        `list its instances, as in '${name.replace('@.', '@one.')}'`,
      )
    else if (names.includes(name)) report([...at, index], `'${name}' is listed twice`)
    else names.push(name)
  })
  return names.sort()
}

function enabledUnits(
  value: unknown,
  at: Keys,
  report: Report,
  systemd: Record<string, unknown>,
): UnitName[] {
  const names = units(value, at, report)
  const { units_enabled: enabled } = systemd
  for (const name of names)
    if (!Array.isArray(enabled) || !enabled.includes(name))
      report(
        [...at, (value as readonly unknown[]).indexOf(name)],
        `'${name}' is not in 'units_enabled'`,
        "add it to 'units_enabled': only enabled units are reloaded or restarted",
      )
  return names
}

function settleMs(value: unknown, at: Keys, report: Report): number {
  return milliseconds(value, { from: 0, fallback: SETTLE_MS }, at, report)
}

/** Never for a shell: each command is a list of a program and its arguments. */
function commands(value: unknown, at: Keys, report: Report): (readonly string[])[] {
  return list(value, 'commands', at, report).flatMap((item, index) => {
    const words = Array.isArray(item) ? (item as readonly unknown[]) : []
    if (words.length > 0 && words[0] !== '' && words.every(isWord)) return [words]
    const hint = `a command is a list of a program and its arguments, as in ["nginx", "-t"]`
    report([...at, index], `${typeof item === 'string' ? `'${item}'` : kindOf(item)} is not a command`, hint)
    return []
  })
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0')
}
