import { unitsGenerated, unitsShipped } from './app-units.ts'
import type { Repair } from './drift.ts'
import { type App, type HostState, order } from './host-state.ts'
import { type Link, linksOf } from './links.ts'
import { type HostPath, type UnitName, unitName } from './names.ts'
import type { Step } from './steps.ts'

/**
 * The steps that bring a host back to `state`, which it is recorded to have. What the repair names and the state
 * contradicts (a leftover that is declared, an app that is not) is left alone: the same on both ends, from the same
 * trees.
 */
export function repairSteps(state: HostState, repair: Repair): Step[] {
  const links = state.apps.flatMap(linksOf)
  const apps = state.apps.filter(({ name }) => repair.apps.includes(name))
  const relink = sortedLinks(links.filter(({ path }) => repair.links.includes(path)))
  const unlink = leftoverLinks(links, repair)
  const goneApps = repair.goneApps.filter(name => !state.apps.some(app => app.name === name))
  const units = unitsToMend(state, apps, relink, repair)
  const leaving = unitsToLeave(state, unlink, repair)
  const reloads = [...relink, ...unlink].some(isUnitLink) || apps.some(shipsUnits)
  return [
    ...apps.map(({ name, tree }): Step => ({ kind: 'checkout', app: name, tree })),
    ...apps.flatMap(({ name, manifest }) =>
      manifest.validate.map((argv): Step => ({ kind: 'validate', app: name, argv })),
    ),
    ...again('sysusers', apps),
    ...apps.flatMap(({ name, manifest: { files } }): Step[] =>
      files.length > 0 ? [{ kind: 'attributes', app: name, files }] : [],
    ),
    ...some(leaving, units => ({ kind: 'stop', units })),
    ...some(leaving, units => ({ kind: 'disable', units })),
    ...apps.map(({ name }): Step => ({ kind: 'swap', app: name })),
    ...unlink.map((link): Step => ({ kind: 'unlink', ...link })),
    ...relink.map(({ path, target, role }): Step => ({ kind: 'link', path, target, role })),
    ...goneApps.map((app): Step => ({ kind: 'remove', app })),
    ...again('tmpfiles', apps),
    ...(reloads ? [{ kind: 'daemonReload' } as const] : []),
    ...some(units.enable, units => ({ kind: 'enable', units })),
    ...some(units.restart, units => ({ kind: 'restart', units })),
    ...some(units.restart, units => ({
      kind: 'settle',
      units,
      ms: Math.max(...state.apps.map(app => app.manifest.settleMs)),
    })),
    ...state.apps
      .filter(
        app => apps.includes(app) || app.manifest.unitsEnabled.some(unit => units.restart.includes(unit)),
      )
      .flatMap(({ name, manifest }) =>
        manifest.checks.map(
          (check): Step => ({ kind: 'check', app: name, check, units: manifest.unitsEnabled }),
        ),
      ),
  ]
}

/** The step for the apps that are written anew and have any such files: a link alone made nobody. */
function again(kind: 'sysusers' | 'tmpfiles', mended: readonly App[]): Step[] {
  const apps = mended.filter(app => linksOf(app).some(({ role }) => role === kind)).map(({ name }) => name)
  return apps.length > 0 ? [{ kind, apps }] : []
}

interface Leftover {
  readonly path: HostPath
  readonly target: HostPath
  readonly role: Link['role']
}

function leftoverLinks(declared: readonly Link[], { goneLinks }: Repair): Leftover[] {
  const ours = new Set<string>(declared.map(({ path }) => path))
  return sortedLinks(
    goneLinks
      .filter(({ path }) => !ours.has(path))
      .map(({ path, target }): Leftover => ({ path, target, role: roleAt(path) })),
  )
}

/** The units that the apps enable, those that do not run, and those whose files get their links back. */
function unitsToMend(state: HostState, apps: readonly App[], relink: readonly Link[], repair: Repair) {
  const enabled = state.apps.flatMap(app => app.manifest.unitsEnabled)
  const generated = new Set(state.apps.flatMap(unitsGenerated))
  const relinked = relink.filter(isUnitLink).map(({ path }) => unitBehind(path))
  const named = (units: readonly (UnitName | undefined)[]) => enabled.filter(unit => units.includes(unit))
  return {
    enable: sorted(named([...repair.enable, ...relinked]).filter(unit => !generated.has(unit))),
    restart: sorted(
      named([...apps.flatMap(app => app.manifest.unitsEnabled), ...repair.restart, ...relinked]),
    ),
  }
}

function unitsToLeave(state: HostState, unlink: readonly Leftover[], { goneUnits }: Repair): UnitName[] {
  const wanted = new Set<UnitName>(
    state.apps.flatMap(app => [...app.manifest.unitsEnabled, ...unitsShipped(app)]),
  )
  // A leftover drop-in, or an enablement, is no unit file: only what lies right in the directory is.
  const files = unlink.filter(isUnitFile).flatMap(({ path }) => unitBehind(path) ?? [])
  return sorted([...goneUnits, ...files].filter(unit => !wanted.has(unit)))
}

const UNITS = '/etc/systemd/system/'

function roleAt(path: HostPath): Link['role'] {
  if (path.startsWith(UNITS)) return 'unit'
  if (path.startsWith('/etc/containers/systemd/')) return 'quadlet'
  if (path.startsWith('/etc/tmpfiles.d/')) return 'tmpfiles'
  return path.startsWith('/etc/sysusers.d/') ? 'sysusers' : 'symlink'
}

function isUnitLink({ role }: { readonly role: Link['role'] }): boolean {
  return role === 'unit' || role === 'quadlet'
}

function isUnitFile({ path }: { readonly path: HostPath }): boolean {
  return path.startsWith(UNITS) && !path.slice(UNITS.length).includes('/')
}

/** The unit of a unit file or drop-in: 'a.service' for both a.service and a.service.d/x.conf. */
function unitBehind(path: HostPath): UnitName | undefined {
  const [first = ''] = path.slice(UNITS.length).split('/')
  return path.startsWith(UNITS) ? unitName(first.replace(/\.d$/, '')) : undefined
}

function shipsUnits({ files }: App): boolean {
  return files.some(({ path }) => path.startsWith('systemd/') || path.startsWith('quadlets/'))
}

function sortedLinks<L extends { readonly path: HostPath }>(links: readonly L[]): L[] {
  return [...links].sort((a, b) => order(a.path, b.path))
}

function sorted(units: readonly UnitName[]): UnitName[] {
  return [...new Set(units)].sort(order)
}

function some(units: readonly UnitName[], step: (units: readonly UnitName[]) => Step): Step[] {
  return units.length > 0 ? [step(units)] : []
}
