import { templateOf } from '../../src/plan/app-units.ts'
import type { UnitName } from '../../src/plan/names.ts'
import { APPS } from '../../src/plan/places.ts'
import type { StepOf } from '../../src/plan/steps.ts'
import type { Deferred } from '../deferred.ts'
import { dropTemporary, placeLink } from '../host/files.ts'
import type { Files, Machine } from '../host/machine.ts'
import { baseOf, parentOf } from '../host/paths.ts'
import { restoreLink } from '../host/restore-link.ts'
import { isOurs } from '../store/inventory.ts'
import type { Before } from '../store/journal.ts'
import {
  dependencyDirectories,
  type EnablementLink,
  enablementLinks,
  instanceLinks,
} from '../systemd/enablement-links.ts'
import { systemctl, UNIT_DIRECTORY } from '../systemd/systemd.ts'
import { type Action, leavesNothing } from './action.ts'

export const disableAction: Action<StepOf<'disable'>> = {
  systemd: 'required',
  before: ({ units }, { machine }) => enablement(machine, units),
  run: ({ units }, { machine }) => disable(machine, units),
  undo: (_, before, { machine }, deferred) => restoreEnablement(machine, before, deferred),
  touches: touchedDirectories,
  leaves: leavesNothing,
}

export const enableAction: Action<StepOf<'enable'>> = {
  systemd: 'required',
  before: ({ units }, { machine }) => enablement(machine, units),
  run({ units }, { machine }) {
    // Links of the former unit file, whose [Install] section may have been different.
    const before = enablementLinks(machine.files, units).filter(
      ({ target }) => target.startsWith(`${APPS}/`) || target.startsWith(`${UNIT_DIRECTORY}/`),
    )
    for (const { path } of before) machine.files.unlink(path)
    systemctl(machine, ['enable', '--no-reload'], units)
    for (const { path } of before) dropIfEmpty(machine.files, parentOf(path))
    // These links lead to one version. systemd finds an instance by its template, so they are not needed.
    for (const { path, target } of instanceLinks(machine.files, units))
      if (target.startsWith(`${APPS}/`)) machine.files.unlink(path)
    // systemctl writes the resolved path, which is in one version. The link to the unit file stays valid.
    for (const { path, target } of enablementLinks(machine.files, units))
      if (target.startsWith(`${APPS}/`)) placeLink(machine.files, `${UNIT_DIRECTORY}/${baseOf(target)}`, path)
  },
  undo({ units }, before, { machine }, deferred) {
    const known = new Set(before.kind === 'enablement' ? before.links.map(link => link.path) : [])
    const added = () => enablementLinks(machine.files, units).filter(({ path }) => !known.has(path))
    const directories = directoriesBefore(machine.files, before, added())
    for (const { path } of added()) dropTemporary(machine.files, path)
    const names = new Set(added().flatMap(({ path, target }) => [baseOf(path), baseOf(target)]))
    disableQuietly(
      machine,
      units.filter(unit => names.has(unit)),
    )
    for (const { path } of added()) {
      machine.files.unlink(path)
      deferred.daemonReload = true
    }
    for (const directory of dependencyDirectories(machine.files))
      if (!directories.has(directory)) machine.files.rmdir(directory)
    restoreEnablement(machine, before, deferred)
  },
  touches: touchedDirectories,
  leaves: ({ units }) => ({ links: [], units }),
}

/**
 * The links of deployed units are removed one by one: systemctl would also remove the links to their unit files, and
 * the links of all units that these name in Also=, whoever else enables them.
 */
function disable(machine: Machine, units: readonly UnitName[]): void {
  const { files } = machine
  const ours = units.filter(unit => isShipped(files, unit))
  for (const { path } of enablementLinks(files, ours)) {
    files.unlink(path)
    dropIfEmpty(files, parentOf(path))
  }
  const others = units.filter(unit => !ours.includes(unit))
  const own = ownLinks(machine, others)
  if (others.length > 0) systemctl(machine, ['disable', '--no-reload'], others)
  for (const { path, target } of own) placeLink(files, target, path)
}

/** An older agent did not note them: then those that hold added links count as new. */
function directoriesBefore(
  files: Files,
  before: Before,
  added: readonly EnablementLink[],
): ReadonlySet<string> {
  if (before.kind === 'enablement' && before.directories) return new Set(before.directories)
  const parents = added.map(({ path }) => parentOf(path))
  return new Set(dependencyDirectories(files).filter(directory => !parents.includes(directory)))
}

/** As systemctl does with directories for such links. */
function dropIfEmpty(files: Files, directory: string): void {
  if (directory !== UNIT_DIRECTORY) files.rmdir(directory)
}

function isShipped(files: Files, unit: UnitName): boolean {
  return [unit, templateOf(unit)].some(name => isOurs(files, `${UNIT_DIRECTORY}/${name}`))
}

/** Units of the distribution may be enabled by more than links, such as scripts in init.d. */
function disableQuietly(machine: Machine, units: readonly UnitName[]): void {
  const others = units.filter(unit => !isShipped(machine.files, unit))
  if (others.length === 0) return
  try {
    systemctl(machine, ['disable', '--no-reload'], others)
  } catch {
    // A unit without a file cannot be disabled; the caller removes its links one by one.
  }
}

function enablement(machine: Machine, units: readonly UnitName[]): Before {
  return {
    kind: 'enablement',
    links: [...ownLinks(machine, units), ...enablementLinks(machine.files, units)],
    directories: dependencyDirectories(machine.files),
  }
}

/** Of the links that are there now, and of the former ones, which an undo makes again. */
function touchedDirectories(
  { units }: { readonly units: readonly UnitName[] },
  before: Before,
  files: Files,
): string[] {
  const links = [...enablementLinks(files, units), ...(before.kind === 'enablement' ? before.links : [])]
  return [UNIT_DIRECTORY, ...links.map(({ path }) => parentOf(path))]
}

/** The links to unit files that are not in systemd's own directories. */
function ownLinks({ files }: Machine, units: readonly UnitName[]): EnablementLink[] {
  return units.flatMap(unit => {
    const path = `${UNIT_DIRECTORY}/${unit}`
    const target = files.readlink(path)
    return target === undefined ? [] : [{ path, target }]
  })
}

function restoreEnablement({ files }: Machine, before: Before, deferred: Deferred): void {
  if (before.kind !== 'enablement') return
  // systemd caches whether a unit is enabled.
  for (const { path, target } of before.links)
    if (restoreLink(files, target, path)) deferred.daemonReload = true
}
