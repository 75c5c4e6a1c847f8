/**
 * git-deploy's links and enabled units on this host. The tree says which of them should be there; the inventory says
 * which may be, also after a deployment that could not be undone completely.
 */
import { decodeUtf8 } from '../../src/plan/bytes.ts'
import type { HostState } from '../../src/plan/host-state.ts'
import { linksOf } from '../../src/plan/links.ts'
import { type HostPath, hostPath, type UnitName, unitName } from '../../src/plan/names.ts'
import { APPS } from '../../src/plan/places.ts'
import { FORMATS, isReadable } from '../../src/protocol/format.ts'
import { writeDurably } from '../host/files.ts'
import type { Files, Names } from '../host/machine.ts'
import { INVENTORY } from '../host/paths.ts'
import { enablementLinks } from '../systemd/enablement-links.ts'
import { writtenByNewer } from './foreign.ts'

export interface Inventory {
  readonly links: readonly HostPath[]
  readonly units: readonly UnitName[]
}

/** Empty if there is none, or it cannot be read. */
export function readInventory(files: Files): Inventory {
  const raw = files.read(INVENTORY)
  const lines = raw ? (decodeUtf8(raw) ?? '').split('\n') : []
  const of = <T>(kind: (typeof KINDS)[number], make: (text: string) => T | undefined) =>
    lines.flatMap(line => (line.startsWith(`${kind} `) ? (make(line.slice(kind.length + 1)) ?? []) : []))
  return { links: of('link', hostPath), units: of('unit', unitName) }
}

/** Throws Foreign if it is newer, or has a line of an unknown kind: a deployment would drop that line. */
export function requireReadableInventory(files: Files): void {
  const raw = files.read(INVENTORY)
  const [first = '', ...lines] = (raw ? (decodeUtf8(raw) ?? '') : '').split('\n')
  const [, format] = /^format (\d+)$/.exec(first) ?? []
  // Builds before the formats wrote only known lines: any other is damage, and ignored.
  if (format === undefined) return
  const isKnown = (line: string) => line === '' || KINDS.some(kind => line.startsWith(`${kind} `))
  if (!isReadable('inventory', { format: Number(format) }) || !lines.every(isKnown))
    throw writtenByNewer(INVENTORY)
}

const KINDS = ['link', 'unit'] as const

/** After a successful deployment: what it declares, and what is left of earlier ones. */
export function takeInventory(files: Files, state: HostState): void {
  const declared = {
    links: state.apps.flatMap(app => linksOf(app).map(({ path }) => path)),
    units: state.apps.flatMap(app => app.manifest.unitsEnabled),
  }
  save(files, declared)
}

/** After an undo that was incomplete. */
export function addToInventory(files: Files, left: readonly Inventory[]): void {
  save(files, { links: left.flatMap(({ links }) => links), units: left.flatMap(({ units }) => units) })
}

/** Whether a deployed link has the name, and not something else that has replaced it. */
export function isOurs(names: Names, name: string): boolean {
  return names.readlink(name)?.startsWith(`${APPS}/`) ?? false
}

function save(files: Files, more: Inventory): void {
  const known = readInventory(files)
  const links = union(known.links, more.links).filter(path => isOurs(files, path))
  const units = union(
    known.units.filter(unit => more.units.includes(unit) || enablementLinks(files, [unit]).length > 0),
    more.units,
  )
  const text = [
    `format ${FORMATS.inventory}`,
    ...links.map(path => `link ${path}`),
    ...units.map(unit => `unit ${unit}`),
    '',
  ].join('\n')
  const raw = files.read(INVENTORY)
  if (raw === undefined && links.length + units.length === 0) return
  if ((raw ? decodeUtf8(raw) : '') !== text) writeDurably(files, INVENTORY, text, 0o600)
}

function union<T>(a: readonly T[], b: readonly T[]): T[] {
  return [...new Set([...a, ...b])].sort()
}
