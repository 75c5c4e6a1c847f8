/** The links on a host that an app implies: from its special directories and from its manifest's symlinks. */
import { namesIn, unitGenerated, unitsShipped } from './app-units.ts'
import type { App, HostState } from './host-state.ts'
import { order } from './host-state.ts'
import { type AppName, type AppPath, type HostPath, type UnitName, unitName } from './names.ts'
import type { Problem } from './problem.ts'

export const LINK_ROLES = ['unit', 'quadlet', 'sysusers', 'tmpfiles', 'symlink'] as const
export type LinkRole = (typeof LINK_ROLES)[number]

export interface Link {
  readonly path: HostPath
  /** Always through the app's `current`, so that a link outlives the versions. */
  readonly target: HostPath
  readonly role: LinkRole
  readonly app: AppName
  readonly source: AppPath
}

export const APPS = '/var/lib/deptool/apps'

interface Special {
  readonly directory: string
  readonly role: LinkRole
  readonly host: string
  /** By the path below the directory. */
  readonly takes: (path: string) => boolean
}

/**
 * The special directories. Files that are not taken are deployed with the app, but not linked. Each file of a drop-in
 * directory has a link of its own: systemd resolves a linked directory, and would take every new version for a change.
 */
const SPECIAL: readonly Special[] = [
  { directory: 'systemd', role: 'unit', host: '/etc/systemd/system', takes: isUnitFile },
  {
    directory: 'quadlets',
    role: 'quadlet',
    host: '/etc/containers/systemd',
    takes: path => !path.startsWith('.'),
  },
  {
    directory: 'sysusers',
    role: 'sysusers',
    host: '/etc/sysusers.d',
    takes: isConf,
  },
  { directory: 'tmpfiles', role: 'tmpfiles', host: '/etc/tmpfiles.d', takes: isConf },
]

const MANAGED_DIRECTORIES: readonly string[] = SPECIAL.map(({ host }) => host)

/** Where links from special directories are made: such a directory is made where it is missing on a host. */
export function isManaged(directory: string): boolean {
  return MANAGED_DIRECTORIES.some(managed => directory === managed || directory.startsWith(`${managed}/`))
}

/** A drop-in directory: it goes with its last file. */
export function isDropInDirectory(directory: string): boolean {
  return isManaged(directory) && !MANAGED_DIRECTORIES.includes(directory)
}

/** The links of one app, ordered by path. */
export function linksOf(app: App): Link[] {
  const special = SPECIAL.flatMap(({ directory, role, host, takes }) =>
    app.files
      .filter(({ path }) => path.startsWith(`${directory}/`) && takes(path.slice(directory.length + 1)))
      .map(({ path }) => link(app, `${host}/${path.slice(directory.length + 1)}`, path, role)),
  )
  const declared = app.manifest.symlinks.map(({ path, source }) => link(app, path, source, 'symlink'))
  return [...special, ...declared].sort((a, b) => order(a.path, b.path))
}

/** What is in a special directory of the app and yet not linked: its name is none that would be looked for there. */
export function leftUnlinked(app: App): AppPath[] {
  const paths = app.files.map(({ path }) => path).filter(path => !path.includes('/.'))
  return SPECIAL.flatMap(({ directory, takes }) =>
    paths.filter(path => path.startsWith(`${directory}/`) && !takes(path.slice(directory.length + 1))),
  )
}

/**
 * What does not go together on a host: two apps with the same link, one link inside another, the same enabled or
 * generated unit; a manifest and the files of its app.
 */
export function conflicts(state: HostState): Problem[] {
  const problems: Problem[] = []
  const links = new Map<string, Link>()
  for (const link of state.apps.flatMap(linksOf)) {
    const other = links.get(link.path)
    if (other) problems.push(clash(link, `'${link.path}' is also claimed by '${other.app}/${other.source}'`))
    else links.set(link.path, link)
  }
  for (const link of links.values())
    for (let at = link.path.lastIndexOf('/'); at > 0; at = link.path.lastIndexOf('/', at - 1)) {
      const outer = links.get(link.path.slice(0, at))
      if (outer)
        problems.push(clash(link, `'${link.path}' is inside '${outer.path}', a link of '${outer.app}'`))
    }
  const enabled = new Map<UnitName, AppName>()
  for (const app of state.apps)
    app.manifest.unitsEnabled.forEach(unit => {
      const other = enabled.get(unit)
      if (other === undefined) enabled.set(unit, app.name)
      else
        problems.push({
          file: `${app.name}/manifest.json`,
          at: ['systemd', 'units_enabled'],
          what: `'${unit}' is also enabled by '${other}'`,
        })
    })
  return [
    ...problems,
    ...hiddenQuadlets(state),
    ...state.apps.flatMap(missingSources),
    ...state.apps.flatMap(wrongFiles),
  ]
}

/** Two quadlets that make one service, or one whose service a unit file would hide. */
function hiddenQuadlets(state: HostState): Problem[] {
  const sources = new Map<UnitName, string>()
  for (const app of state.apps)
    for (const unit of unitsShipped(app)) sources.set(unit, `${app.name}/systemd/${unit}`)
  return state.apps.flatMap(app =>
    namesIn(app, 'quadlets').flatMap(name => {
      const unit = unitGenerated(name)
      if (unit === undefined) return []
      const file = `${app.name}/quadlets/${name}`
      const other = sources.get(unit)
      if (other === undefined) sources.set(unit, file)
      return other === undefined ? [] : [{ file, what: `its service '${unit}' is also that of '${other}'` }]
    }),
  )
}

/** Attributes are of files: a directory that another user may write to would let it swap what root reads there. */
function wrongFiles(app: App): Problem[] {
  return app.manifest.files.flatMap(({ path }) => {
    const found = app.files.find(file => file.path === path)
    if (found && found.mode !== '120000') return []
    const isDirectory = app.files.some(file => file.path.startsWith(`${path}/`))
    const what = found
      ? `'${path}' is a symbolic link, and has no mode of its own`
      : isDirectory
        ? `'${path}' is a directory`
        : `there is no '${path}' in the app`
    const hint = isDirectory ? { hint: 'name the files in it, one by one' } : {}
    return [{ file: `${app.name}/manifest.json`, at: ['files', path], what, ...hint }]
  })
}

function missingSources(app: App): Problem[] {
  return app.manifest.symlinks
    .filter(({ source }) => !app.files.some(({ path }) => path === source || path.startsWith(`${source}/`)))
    .map(({ path, source }) => ({
      file: `${app.name}/manifest.json`,
      at: ['symlinks', path],
      what: `there is no '${source}' in the app`,
    }))
}

function clash(link: Link, what: string): Problem {
  return link.role === 'symlink'
    ? { file: `${link.app}/manifest.json`, at: ['symlinks', link.path], what }
    : { file: `${link.app}/${link.source}`, what }
}

function link(app: App, path: string, source: string, role: LinkRole): Link {
  return {
    path: path as HostPath,
    target: `${APPS}/${app.name}/current/${source}` as HostPath,
    role,
    app: app.name,
    source: source as AppPath,
  }
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
