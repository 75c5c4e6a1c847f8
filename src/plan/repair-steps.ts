/** The steps of a repair. */
import { unitsGenerated, unitsShipped } from './app-units.ts'
import { arrange, type PlainLink, type UnitWork } from './arrange.ts'
import type { Repair } from './drift.ts'
import type { App, HostState } from './host-state.ts'
import { type Link, linksOf } from './links.ts'
import { type UnitName, unitName } from './names.ts'
import { PLACES, roleAt } from './places.ts'
import { type Applying, directoriesFor, isAppliedBy, unitAt } from './special-directories.ts'
import type { Step } from './steps.ts'

/**
 * The steps that bring a host back to `state`, which was deployed there. Both ends derive them, so what the state
 * contradicts in the repair (a leftover that is declared, an app that is not) is ignored.
 */
export function repairSteps(state: HostState, repair: Repair): Step[] {
  const links = state.apps.flatMap(linksOf)
  const apps = state.apps.filter(({ name }) => repair.apps.includes(name))
  const link = links.filter(({ path }) => repair.links.includes(path))
  const unlink = leftoverLinks(links, repair)
  const units = unitRepairs(state, { apps, link, unlink, repair })
  return arrange({
    apps,
    sysusers: appsWith('sysusers', apps),
    attributes: apps.flatMap(({ name, manifest: { files } }) =>
      files.length > 0 ? [{ app: name, files }] : [],
    ),
    ...units,
    unlink,
    link,
    remove: repair.goneApps.filter(name => !state.apps.some(app => app.name === name)),
    tmpfiles: appsWith('tmpfiles', apps),
    daemonReload:
      [...link, ...unlink].some(({ role }) => isAppliedBy('daemonReload', role)) ||
      apps.some(app => hasFilesFor('daemonReload', app)) ||
      units.enable.length + units.disable.length > 0,
    settling: state.apps,
    checked: state.apps.filter(
      app => apps.includes(app) || app.manifest.unitsEnabled.some(unit => units.restart.includes(unit)),
    ),
  })
}

/** Only apps that are written again: with a link, what the step had made is not gone. */
function appsWith(step: Applying, apps: readonly App[]) {
  return apps.filter(app => linksOf(app).some(({ role }) => isAppliedBy(step, role))).map(({ name }) => name)
}

function hasFilesFor(step: Applying, { files }: App): boolean {
  return files.some(({ path }) => directoriesFor(step).some(directory => path.startsWith(`${directory}/`)))
}

function leftoverLinks(declared: readonly Link[], { goneLinks }: Repair): PlainLink[] {
  const paths = new Set<string>(declared.map(({ path }) => path))
  return goneLinks
    .filter(({ path }) => !paths.has(path))
    .map(({ path, target }) => ({ path, target, role: roleAt(path) }))
}

interface Found {
  readonly apps: readonly App[]
  readonly link: readonly Link[]
  readonly unlink: readonly PlainLink[]
  readonly repair: Repair
}

/** Restarts the units of the apps, those that do not run, and those whose links are made again. */
function unitRepairs(state: HostState, { apps, link, unlink, repair }: Found): UnitWork {
  const enabled = state.apps.flatMap(app => app.manifest.unitsEnabled)
  const generated = new Set(state.apps.flatMap(unitsGenerated))
  const relinked = link.map(({ path }) => unitAt(path))
  const named = (units: readonly (UnitName | undefined)[]) => enabled.filter(unit => units.includes(unit))
  const leaving = leftoverUnits(state, unlink, repair)
  return {
    stop: leaving,
    disable: leaving,
    enable: named([...repair.enable, ...relinked]).filter(unit => !generated.has(unit)),
    restart: named([...apps.flatMap(app => app.manifest.unitsEnabled), ...repair.restart, ...relinked]),
    // A unit that does not run as it should may ignore a reload.
    reload: [],
    orRestart: [],
    generated: [...generated],
  }
}

/** Units that are enabled or linked, and that nothing declares. */
function leftoverUnits(state: HostState, unlink: readonly PlainLink[], { goneUnits }: Repair): UnitName[] {
  const declared = new Set<UnitName>(
    state.apps.flatMap(app => [...app.manifest.unitsEnabled, ...unitsShipped(app)]),
  )
  // Only links right in systemd's directory: drop-ins and enablements lie below.
  const linked = unlink
    .filter(({ role }) => role === 'unit')
    .flatMap(({ path }) => unitName(path.slice(PLACES.unit.length + 1)) ?? [])
  return [...goneUnits, ...linked].filter(unit => !declared.has(unit))
}
