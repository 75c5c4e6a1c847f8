/** The one order of steps, for deployments and repairs. */
import type { FileAttributes } from './attributes.ts'
import { type App, order } from './host-state.ts'
import type { Link } from './links.ts'
import type { AppName, UnitName } from './names.ts'
import type { Step, StepKind, StepOf } from './steps.ts'

/** What is to be done on a host, in no order. */
export interface Work {
  /** Apps of which a version is written and switched to. */
  readonly apps: readonly App[]
  /** Apps whose users are made. */
  readonly sysusers: readonly AppName[]
  readonly attributes: readonly { readonly app: AppName; readonly files: readonly FileAttributes[] }[]
  readonly stop: readonly UnitName[]
  readonly disable: readonly UnitName[]
  readonly unlink: readonly PlainLink[]
  readonly link: readonly PlainLink[]
  /** Apps that go. */
  readonly remove: readonly AppName[]
  /** Apps of which tmpfiles.d(5) makes something. */
  readonly tmpfiles: readonly AppName[]
  readonly daemonReload: boolean
  readonly enable: readonly UnitName[]
  readonly restart: readonly UnitName[]
  readonly reload: readonly UnitName[]
  /** Apps whose settle time counts: the longest does. */
  readonly settling: readonly App[]
  readonly checked: readonly App[]
}

/** What is done with units. */
export type UnitWork = Pick<Work, 'stop' | 'disable' | 'enable' | 'restart' | 'reload'>

export type PlainLink = Pick<Link, 'path' | 'target' | 'role'>

/** The steps in the order in which they are taken. */
export function arrange(work: Work): Step[] {
  return Object.values(STEPS).flatMap((steps): readonly Step[] => steps(work))
}

/** In their order: a kind of step that has no place here does not compile. */
const STEPS: { readonly [K in StepKind]: (work: Work) => readonly StepOf<K>[] } = {
  checkout: ({ apps }) => apps.map(({ name, tree }) => ({ kind: 'checkout', app: name, tree })),
  // Before anything changes that anybody could see.
  validate: ({ apps }) =>
    apps.flatMap(({ name, manifest }) =>
      manifest.validate.map(argv => ({ kind: 'validate' as const, app: name, argv })),
    ),
  // Files are given to users by attributes.
  sysusers: ({ sysusers }) => some(sysusers, apps => ({ kind: 'sysusers', apps })),
  // Before the switch: nobody shall see a file with an owner or mode that is not its own.
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
  daemonReload: ({ daemonReload }) => (daemonReload ? [{ kind: 'daemonReload' }] : []),
  enable: ({ enable }) => some(sorted(enable), units => ({ kind: 'enable', units })),
  restart: ({ restart }) => some(sorted(restart), units => ({ kind: 'restart', units })),
  reload: ({ reload }) => some(sorted(reload), units => ({ kind: 'reload', units })),
  settle: ({ restart, reload, settling }) =>
    some(sorted([...restart, ...reload]), units => ({
      kind: 'settle',
      units,
      ms: Math.max(...settling.map(app => app.manifest.settleMs)),
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

function some<T, S extends Step>(items: readonly T[], step: (items: readonly T[]) => S): S[] {
  return items.length > 0 ? [step(items)] : []
}

function sorted(units: readonly UnitName[]): UnitName[] {
  return [...new Set(units)].sort(order)
}

function byPath(links: readonly PlainLink[]): PlainLink[] {
  return links.map(({ path, target, role }) => ({ path, target, role })).sort((a, b) => order(a.path, b.path))
}
