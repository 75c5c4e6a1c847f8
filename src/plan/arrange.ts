/** The one order of steps, for deployments and repairs. */
import type { FileAttributes } from './attributes.ts'
import { type App, order } from './host-state.ts'
import type { Link } from './links.ts'
import { SETTLE_MS } from './manifest.ts'
import type { AppName, UnitName } from './names.ts'
import type { Applying } from './special-directories.ts'
import type { Step, StepKind, StepOf } from './steps.ts'

/** What is to be done on a host, in no order. */
export interface Work extends Applied {
  /** Apps of which a version is written and switched to. */
  readonly apps: readonly App[]
  readonly attributes: readonly { readonly app: AppName; readonly files: readonly FileAttributes[] }[]
  readonly stop: readonly UnitName[]
  readonly disable: readonly UnitName[]
  readonly unlink: readonly PlainLink[]
  readonly link: readonly PlainLink[]
  readonly remove: readonly AppName[]
  readonly enable: readonly UnitName[]
  readonly restart: readonly UnitName[]
  readonly reload: readonly UnitName[]
  /** Those of `reload` that systemd may restart instead. */
  readonly orRestart: readonly UnitName[]
  /** Units that a generator makes. */
  readonly generated: readonly UnitName[]
  /** The longest settle time of these apps is used. */
  readonly settling: readonly App[]
  readonly checked: readonly App[]
}

/** The steps that make changed files of special directories effective: for which apps, or whether at all. */
type Applied = { readonly [A in Applying]: A extends 'daemonReload' ? boolean : readonly AppName[] }

export type UnitWork = Pick<
  Work,
  'stop' | 'disable' | 'enable' | 'restart' | 'reload' | 'orRestart' | 'generated'
>

export type PlainLink = Pick<Link, 'path' | 'target' | 'role'>

/** The steps in the order in which they are taken. */
export function arrange(work: Work): Step[] {
  return Object.values(STEPS).flatMap((steps): readonly Step[] => steps(work))
}

/** In their order: a kind of step that has no place here does not compile. */
const STEPS: { readonly [K in StepKind]: (work: Work) => readonly StepOf<K>[] } = {
  checkout: ({ apps }) => apps.map(({ name, tree }) => ({ kind: 'checkout', app: name, tree })),
  // Before anything visible changes.
  validate: ({ apps }) =>
    apps.flatMap(({ name, manifest }) =>
      manifest.validate.map(argv => ({ kind: 'validate' as const, app: name, argv })),
    ),
  // Attributes may give files to these users.
  sysusers: ({ sysusers }) => some(sysusers, apps => ({ kind: 'sysusers', apps })),
  // Before the switch: nobody must see a file with the wrong owner or mode.
  attributes: ({ attributes }) => attributes.map(({ app, files }) => ({ kind: 'attributes', app, files })),
  // While the files are there that the units may need to stop.
  stop: ({ stop }) => some(sorted(stop), units => ({ kind: 'stop', units })),
  // While the links are there by which units are known to be git-deploy's.
  disable: ({ disable }) => some(sorted(disable), units => ({ kind: 'disable', units })),
  swap: ({ apps }) => apps.map(({ name }) => ({ kind: 'swap', app: name })),
  // Unlinked first: a link may be made inside of what was a link. Linked once the targets are there.
  unlink: ({ unlink }) => byPath(unlink).map(link => ({ kind: 'unlink', ...link })),
  link: ({ link }) => byPath(link).map(link => ({ kind: 'link', ...link })),
  // No link leads to the app by now.
  remove: ({ remove }) => remove.map(app => ({ kind: 'remove', app })),
  // Units may need these directories when they start.
  tmpfiles: ({ tmpfiles }) => some(tmpfiles, apps => ({ kind: 'tmpfiles', apps })),
  // Before the daemon-reload: systemd 257 and later take all units for changed after it.
  enable: ({ enable }) => some(sorted(enable), units => ({ kind: 'enable', units })),
  daemonReload: ({ daemonReload }) => (daemonReload ? [{ kind: 'daemonReload' }] : []),
  restart: ({ restart }) => some(sorted(restart), units => ({ kind: 'restart', units })),
  reload: ({ reload, orRestart }) =>
    some(sorted(reload), units => ({ kind: 'reload', units, orRestart: sorted(orRestart) })),
  settle: work =>
    some(sorted([...work.restart, ...work.reload]), units => ({
      kind: 'settle',
      units,
      ms: Math.max(...work.settling.map(app => app.manifest.settleMs ?? SETTLE_MS)),
      always: alwaysWatched(work, units),
      reloaded: sorted(work.reload),
    })),
  check: ({ checked }) =>
    checked.flatMap(({ name, manifest }) =>
      manifest.checks.map(check => ({
        kind: 'check' as const,
        app: name,
        check,
        units: manifest.unitsEnabled,
      })),
    ),
}

/** Of a container, only its monitor reports that it is ready: as soon as there is a process. */
function alwaysWatched({ settling, generated }: Work, units: readonly UnitName[]): UnitName[] {
  const timed = settling
    .filter(app => app.manifest.settleMs !== null)
    .flatMap(app => app.manifest.unitsEnabled)
  return units.filter(unit => timed.includes(unit) || generated.includes(unit))
}

function some<T, S extends Step>(items: readonly T[], step: (items: readonly T[]) => S): S[] {
  return items.length > 0 ? [step(items)] : []
}

function sorted(units: readonly UnitName[]): UnitName[] {
  return [...new Set(units)].sort(order)
}

function byPath(links: readonly PlainLink[]): PlainLink[] {
  return links.map(({ path, target, role }) => ({ path, target, role })).sort((a, b) => order(a.path, b.path))
}
