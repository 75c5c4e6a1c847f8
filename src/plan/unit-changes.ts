/** What a deployment does with units. */
import { unitsGenerated, unitsOf } from './app-units.ts'
import type { UnitWork } from './arrange.ts'
import { type AppChange, changesBelow, contentOf } from './changes.ts'
import type { App, HostState } from './host-state.ts'
import { templateOf, type UnitName } from './names.ts'
import { reloadingOf } from './reloading.ts'
import { SPECIAL } from './special-directories.ts'

export function unitChanges(from: HostState, to: HostState, changes: readonly AppChange[]): UnitWork {
  const [before, after] = [enabledIn(from), enabledIn(to)]
  const reload = reloaded(changes, before.all).filter(unit => reloadingOf(unit, to.apps) !== 'restart')
  const rewritten = rewrittenUnits(changes)
  return {
    stop: [...[...before.all].filter(unit => !after.all.has(unit)), ...vanished(from, to, after.all)],
    disable: [...before.byLinks].filter(unit => !after.byLinks.has(unit)),
    enable: [...after.byLinks].filter(
      unit => !before.byLinks.has(unit) || [unit, templateOf(unit)].some(name => rewritten.has(name)),
    ),
    // A socket can only be restarted with its service.
    restart: changes
      .flatMap(({ to }) => to?.manifest.unitsEnabled ?? [])
      .filter(unit => !reload.includes(unit) && !reload.includes(serviceOf(unit))),
    reload,
    orRestart: reload.filter(unit => reloadingOf(unit, to.apps) === 'unknown'),
    generated: to.apps.flatMap(unitsGenerated),
  }
}

/** Generated units have no enablement of their own: their generator reads [Install]. */
function enabledIn({ apps }: HostState) {
  const all = new Set(apps.flatMap(app => app.manifest.unitsEnabled))
  const generated = new Set(apps.flatMap(unitsGenerated))
  return { all, byLinks: new Set([...all].filter(unit => !generated.has(unit))) }
}

/** Units whose files are removed. One that is still enabled, as a unit of the distribution may be, keeps running. */
function vanished(from: HostState, to: HostState, enabled: ReadonlySet<UnitName>): UnitName[] {
  const stay = new Set(to.apps.flatMap(unitsOf))
  return from.apps.flatMap(unitsOf).filter(unit => !stay.has(unit) && !enabled.has(unit))
}

function reloaded(changes: readonly AppChange[], enabledBefore: ReadonlySet<UnitName>): UnitName[] {
  return changes
    .filter(change => change.action === 'update' && !changesBelow(SPECIAL.unit.directory, [change]))
    .flatMap(change => change.to?.manifest.unitsReload ?? [])
    .filter(unit => enabledBefore.has(unit))
}

/** The service that a socket starts unless its file says otherwise, systemd.socket(5). */
function serviceOf(unit: UnitName): UnitName {
  return unit.replace(/\.socket$/, '.service') as UnitName
}

/** By the names of their files. These units are enabled again: [Install] may have changed. */
function rewrittenUnits(changes: readonly AppChange[]): ReadonlySet<string> {
  const old = unitFiles(changes.flatMap(({ from }) => from ?? []))
  const next = unitFiles(changes.flatMap(({ to }) => to ?? []))
  return new Set([...old.keys(), ...next.keys()].filter(name => old.get(name) !== next.get(name)))
}

/** The contents of each unit's file and drop-ins: both may have an [Install] section. */
function unitFiles(apps: readonly App[]): Map<string, string> {
  const files = new Map<string, string>()
  for (const app of apps)
    for (const file of app.files) {
      const [, unit] = UNIT_FILE.exec(file.path) ?? []
      if (unit !== undefined)
        files.set(unit, `${files.get(unit) ?? ''}${file.path} ${contentOf(app, file)}\n`)
    }
  return files
}

const UNIT_FILE = new RegExp(`^${SPECIAL.unit.directory}/([^/]+?)(?:\\.d/[^/]+)?$`)
