/** The special directories of an app: their files are linked into the directories where the host looks for them. */
import { type AppPath, type HostPath, type UnitName, unitName } from './names.ts'
import { isInside, type LinkRole, PLACES, type SpecialRole } from './places.ts'
import type { StepKind } from './steps.ts'

/** Steps that make files of special directories effective. */
export type Applying = Extract<StepKind, 'sysusers' | 'tmpfiles' | 'daemonReload'>

interface SpecialDirectory {
  readonly directory: string
  /** Whether a file is linked, by its path below the directory. Other files are deployed, but not linked. */
  readonly takes: (path: string) => boolean
  /** The unit that systemd makes of a file by this name. */
  readonly unitOf: (name: string) => UnitName | undefined
  /** The step that makes changes to the files effective. */
  readonly appliedBy: Applying
  /** For an operator who declares a symlink into the host's directory instead. */
  readonly hint: string
}

/**
 * Each file of a drop-in directory has its own link: systemd resolves a linked directory, and would see a change in
 * every new version.
 */
export const SPECIAL: { readonly [R in SpecialRole]: SpecialDirectory } = {
  unit: {
    directory: 'systemd',
    takes: isUnitFile,
    unitOf: unitName,
    appliedBy: 'daemonReload',
    hint: "put units and drop-ins into the app's 'systemd' directory",
  },
  quadlet: {
    directory: 'quadlets',
    takes: path => !path.startsWith('.'),
    unitOf: unitGenerated,
    appliedBy: 'daemonReload',
    hint: "put quadlets into the app's 'quadlets' directory",
  },
  sysusers: {
    directory: 'sysusers',
    takes: isConf,
    unitOf: () => undefined,
    appliedBy: 'sysusers',
    hint: "put sysusers files into the app's 'sysusers' directory",
  },
  tmpfiles: {
    directory: 'tmpfiles',
    takes: isConf,
    unitOf: () => undefined,
    appliedBy: 'tmpfiles',
    hint: "put tmpfiles files into the app's 'tmpfiles' directory",
  },
}

export function isAppliedBy(step: Applying, role: LinkRole): boolean {
  return role !== 'symlink' && SPECIAL[role].appliedBy === step
}

export function directoriesFor(step: Applying): string[] {
  return Object.values(SPECIAL)
    .filter(({ appliedBy }) => appliedBy === step)
    .map(({ directory }) => directory)
}

/** The unit of a file or drop-in in systemd's directory: 'a.service' for both a.service and a.service.d/x.conf. */
export function unitAt(path: HostPath): UnitName | undefined {
  const [first = ''] = isInside(path, PLACES.unit) ? path.slice(PLACES.unit.length + 1).split('/') : []
  return unitName(first.replace(/\.d$/, ''))
}

export function unitOfFile(path: AppPath): UnitName | undefined {
  const special = Object.values(SPECIAL).find(({ directory }) => isInside(path, directory))
  return special?.unitOf(path.slice(special.directory.length + 1))
}

/** Whether it is the file of one of the units, or a drop-in of one. */
export function isFileOf(units: readonly UnitName[], path: AppPath): boolean {
  const special = Object.values(SPECIAL).find(({ directory }) => isInside(path, directory))
  const [first = '', second] = special ? path.slice(special.directory.length + 1).split('/') : []
  const file = second === undefined ? first : first.endsWith('.d') ? first.slice(0, -2) : ''
  const unit = special?.unitOf(file)
  return unit !== undefined && units.includes(unit)
}

/** The unit that a link by this name makes known to systemd. */
export function unitBehind(role: LinkRole, name: string): UnitName | undefined {
  return role === 'symlink' ? undefined : SPECIAL[role].unitOf(name)
}

/** Such a directory is created if the host does not have it. */
export function isManaged(directory: string): boolean {
  return MANAGED.some(managed => directory === managed || isInside(directory, managed))
}

/** Such a directory is removed with its last file. */
export function isDropInDirectory(directory: string): boolean {
  return isManaged(directory) && !MANAGED.includes(directory)
}

const MANAGED: readonly string[] = Object.values(PLACES)

/** The service that Podman's generator makes of a file in quadlets/, podman-systemd.unit(5). */
function unitGenerated(name: string): UnitName | undefined {
  const match = /^(.+)\.(container|kube|volume|network|pod|image|build)$/.exec(name)
  if (!match) return undefined
  const [, stem, type] = match
  return unitName(`${stem}${type === 'container' || type === 'kube' ? '' : `-${type}`}.service`)
}

/** A unit file; a drop-in, also a type-wide one as in `service.d`; a dependency in a directory for those. */
function isUnitFile(path: string): boolean {
  const [first, second, ...more] = path.split('/') as [string, string?, ...string[]]
  if (second === undefined) return unitName(first) !== undefined
  if (more.length > 0) return false
  return first.endsWith('.d') ? second.endsWith('.conf') : /.\.(?:wants|requires|upholds)$/.test(first)
}

function isConf(path: string): boolean {
  return !path.includes('/') && path.endsWith('.conf')
}
