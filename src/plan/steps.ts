/**
 * The heart: what a deployment does on a host, as one ordered list. The plan prints it, the digest hashes it, the
 * agent derives it again from the same two trees, carries it out and undoes it in reverse.
 */
import { templateOf, unitsGenerated, unitsShipped } from './app-units.ts'
import { attributesOf, type FileAttributes, sameAttributes } from './attributes.ts'
import type { Check } from './checks.ts'
import { type App, type AppFile, type HostState, order } from './host-state.ts'
import { type Link, linksOf } from './links.ts'
import type { AppName, AppPath, HostPath, Oid, UnitName } from './names.ts'
import type { LinkRole } from './places.ts'

export type Step =
  /** Write the app's version directory beside the running one. */
  | { readonly kind: 'checkout'; readonly app: AppName; readonly tree: Oid }
  /** Run the command in the new version directory, while staging. */
  | { readonly kind: 'validate'; readonly app: AppName; readonly argv: readonly string[] }
  /** Make the users of the apps' new versions: before the attributes, which may need them. */
  | { readonly kind: 'sysusers'; readonly apps: readonly AppName[] }
  /** Set modes and owners in the new version directory: of files that are new or changed, or whose attributes are. */
  | { readonly kind: 'attributes'; readonly app: AppName; readonly files: readonly FileAttributes[] }
  | { readonly kind: 'stop'; readonly units: readonly UnitName[] }
  | { readonly kind: 'disable'; readonly units: readonly UnitName[] }
  /** Point `current` at the version that was checked out. */
  | { readonly kind: 'swap'; readonly app: AppName }
  /** Take `current` and `previous` away; the versions go when the deployment is confirmed. */
  | { readonly kind: 'remove'; readonly app: AppName }
  | { readonly kind: 'unlink'; readonly path: HostPath; readonly target: HostPath; readonly role: LinkRole }
  | { readonly kind: 'link'; readonly path: HostPath; readonly target: HostPath; readonly role: LinkRole }
  | { readonly kind: 'tmpfiles'; readonly apps: readonly AppName[] }
  | { readonly kind: 'daemonReload' }
  | { readonly kind: 'enable'; readonly units: readonly UnitName[] }
  | { readonly kind: 'restart'; readonly units: readonly UnitName[] }
  | { readonly kind: 'reload'; readonly units: readonly UnitName[] }
  /** Watch that the units run. */
  | { readonly kind: 'settle'; readonly units: readonly UnitName[]; readonly ms: number }
  /** Wait until it holds; the app's units are told about where it does not. */
  | {
      readonly kind: 'check'
      readonly app: AppName
      readonly check: Check
      readonly units: readonly UnitName[]
    }

export type StepKind = Step['kind']
export type StepOf<K extends StepKind> = Extract<Step, { kind: K }>

export type AppChange =
  | { readonly action: 'add'; readonly to: App; readonly from?: never }
  | { readonly action: 'update'; readonly from: App; readonly to: App }
  | { readonly action: 'remove'; readonly from: App; readonly to?: never }

/** The apps that differ, by name. */
export function changedApps(from: HostState, to: HostState): AppChange[] {
  const old = new Map(from.apps.map(app => [app.name, app]))
  const next = new Map(to.apps.map(app => [app.name, app]))
  return [...new Set([...old.keys(), ...next.keys()])].sort(order).flatMap((name): AppChange[] => {
    const before = old.get(name)
    const after = next.get(name)
    if (!before) return after ? [{ action: 'add', to: after }] : []
    if (!after) return [{ action: 'remove', from: before }]
    return before.tree === after.tree ? [] : [{ action: 'update', from: before, to: after }]
  })
}

/** The steps from one state to the other, in the order in which they are carried out. None where they are equal. */
export function makeSteps(from: HostState, to: HostState): Step[] {
  const changes = changedApps(from, to)
  const units = unitChanges(from, to, changes)
  const links = linkChanges(from, to)
  const staying = changes.flatMap(change => change.to ?? [])
  return [
    ...staying.map((app): Step => ({ kind: 'checkout', app: app.name, tree: app.tree })),
    ...staying.flatMap(app =>
      app.manifest.validate.map((argv): Step => ({ kind: 'validate', app: app.name, argv })),
    ),
    ...forApps('sysusers', changes),
    ...changes.flatMap(attributesStep),
    ...some(units.stop, units => ({ kind: 'stop', units })),
    ...some(units.disable, units => ({ kind: 'disable', units })),
    ...staying.map((app): Step => ({ kind: 'swap', app: app.name })),
    ...links,
    ...changes.flatMap((change): Step[] => (change.to ? [] : [{ kind: 'remove', app: change.from.name }])),
    ...forApps('tmpfiles', changes),
    ...(changesIn(changes, 'systemd/') || changesIn(changes, 'quadlets/')
      ? [{ kind: 'daemonReload' } as const]
      : []),
    ...some(units.enable, units => ({ kind: 'enable', units })),
    ...some(units.restart, units => ({ kind: 'restart', units })),
    ...some(units.reload, units => ({ kind: 'reload', units })),
    ...some([...units.restart, ...units.reload].sort(order), units => ({
      kind: 'settle',
      units,
      ms: Math.max(...staying.map(app => app.manifest.settleMs)),
    })),
    ...staying.flatMap(({ name, manifest }) =>
      manifest.checks.map(
        (check): Step => ({ kind: 'check', app: name, check, units: manifest.unitsEnabled }),
      ),
    ),
  ]
}

/** The step for the apps whose files of this kind changed, and that have any. */
function forApps(kind: 'sysusers' | 'tmpfiles', changes: readonly AppChange[]): Step[] {
  const apps = changes
    .filter(change => changesIn([change], `${kind}/`))
    .flatMap(({ to }) => (to && linksOf(to).some(({ role }) => role === kind) ? [to.name] : []))
  return apps.length > 0 ? [{ kind, apps }] : []
}

function attributesStep({ from, to }: AppChange): Step[] {
  const fresh = to?.manifest.files.filter(({ path }) => !isKept(path, from, to)) ?? []
  return to && fresh.length > 0 ? [{ kind: 'attributes', app: to.name, files: fresh }] : []
}

/** Whether the file is in both versions with the same content, mode and attributes: on the host it is one file then. */
function isKept(path: AppPath, from: App | undefined, to: App): boolean {
  const [before, after] = [from, to].map(app => app?.files.find(file => file.path === path))
  return (
    from !== undefined &&
    before !== undefined &&
    before.oid === after?.oid &&
    before.mode === after.mode &&
    sameAttributes(attributesOf(from.manifest.files, path), attributesOf(to.manifest.files, path))
  )
}

function some(units: readonly UnitName[], step: (units: readonly UnitName[]) => Step): Step[] {
  return units.length > 0 ? [step(units)] : []
}

function linkChanges(from: HostState, to: HostState): Step[] {
  const old = new Map(from.apps.flatMap(linksOf).map(link => [link.path, link]))
  const next = new Map(to.apps.flatMap(linksOf).map(link => [link.path, link]))
  const gone = [...old.values()].filter(link => !next.has(link.path))
  const come = [...next.values()].filter(link => old.get(link.path)?.target !== link.target)
  const step = (kind: 'link' | 'unlink', links: Link[]) =>
    links
      .sort((a, b) => order(a.path, b.path))
      .map(({ path, target, role }): Step => ({ kind, path, target, role }))
  return [...step('unlink', gone), ...step('link', come)]
}

function unitChanges(from: HostState, to: HostState, changes: readonly AppChange[]) {
  const enabledBefore = new Set(from.apps.flatMap(app => app.manifest.unitsEnabled))
  const enabledAfter = new Set(to.apps.flatMap(app => app.manifest.unitsEnabled))
  const [ownBefore, ownAfter] = [withoutGenerated(from, enabledBefore), withoutGenerated(to, enabledAfter)]
  const unitsOf = (app: App) => [...unitsShipped(app), ...unitsGenerated(app)]
  const unitsAfter = new Set(to.apps.flatMap(unitsOf))
  const leaving = [...enabledBefore].filter(unit => !enabledAfter.has(unit))
  const gone = from.apps.flatMap(unitsOf).filter(unit => !unitsAfter.has(unit))
  const staying = changes.flatMap(({ to }) => to ?? [])
  const active = staying.flatMap(app => app.manifest.unitsEnabled)
  const reload = changes
    .filter(change => change.action === 'update' && !changesIn([change], 'systemd/'))
    .flatMap(change => change.to?.manifest.unitsReload ?? [])
    .filter(unit => enabledBefore.has(unit))
  const [oldFiles, newFiles] = [unitFiles(changes.flatMap(({ from }) => from ?? [])), unitFiles(staying)]
  // What wants a unit is said in its files.
  const isRewritten = (unit: UnitName) =>
    [unit, templateOf(unit)].some(name => oldFiles.get(name) !== newFiles.get(name))
  return {
    // A unit whose file goes but which another part of the host still enables (a distribution's own) stays.
    stop: sorted([...leaving, ...gone.filter(unit => !enabledAfter.has(unit))]),
    disable: sorted([...ownBefore].filter(unit => !ownAfter.has(unit))),
    enable: sorted([...ownAfter].filter(unit => !ownBefore.has(unit) || isRewritten(unit))),
    // A socket can only be restarted with its service.
    restart: sorted(active.filter(unit => !reload.includes(unit) && !reload.includes(serviceOf(unit)))),
    reload: sorted(reload),
  }
}

/** Generated units have no enablement of their own: their generator reads [Install]. */
function withoutGenerated({ apps }: HostState, enabled: ReadonlySet<UnitName>): Set<UnitName> {
  const generated = new Set(apps.flatMap(unitsGenerated))
  return new Set([...enabled].filter(unit => !generated.has(unit)))
}

/** The service that a socket starts unless its file says otherwise, systemd.socket(5). */
function serviceOf(unit: UnitName): UnitName {
  return unit.replace(/\.socket$/, '.service') as UnitName
}

/** What is in `systemd/` for a unit, its file and its drop-ins: either may say what wants it. */
function unitFiles(apps: readonly App[]): Map<string, string> {
  const files = new Map<string, string>()
  for (const app of apps)
    for (const file of app.files) {
      const [, unit] = /^systemd\/([^/]+?)(?:\.d\/[^/]+)?$/.exec(file.path) ?? []
      if (unit !== undefined)
        files.set(unit, `${files.get(unit) ?? ''}${file.path} ${contentOf(app, file)}\n`)
    }
  return files
}

function sorted(units: readonly UnitName[]): UnitName[] {
  return [...new Set(units)].sort(order)
}

/** Whether a file below `prefix` came, went or changed in any of the apps. */
function changesIn(changes: readonly AppChange[], prefix: string): boolean {
  const print = (app: App | undefined) =>
    app?.files
      .filter(file => file.path.startsWith(prefix))
      .map(file => `${file.path} ${file.mode} ${contentOf(app, file)}`)
      .join('\n') ?? ''
  return changes.some(change => print(change.from) !== print(change.to))
}

/** What tells whether the file changes. What a symbolic link leads to is in the app, and may have changed in its place. */
function contentOf(app: App, { mode, oid }: AppFile): Oid {
  return mode === '120000' ? app.tree : oid
}
