/**
 * What does not fit together on a host: two apps with the same link, one link inside another, the same enabled or
 * generated unit; a manifest and the files of its app.
 */
import { generatedFrom, unitsShipped } from './app-units.ts'
import type { App, HostState } from './host-state.ts'
import { type Link, linksOf } from './links.ts'
import type { Manifest } from './manifest.ts'
import type { AppName, UnitName } from './names.ts'
import type { Problem } from './problem.ts'

export function conflicts(state: HostState): Problem[] {
  return [
    ...wrongLinks(state.apps.flatMap(linksOf)),
    ...hiddenQuadlets(state),
    ...Object.values(OF_MANIFESTS).flatMap(find => find(state)),
  ]
}

/** What can be wrong with each key of a manifest once the app's files, and the host's other apps, are known. */
const OF_MANIFESTS: { readonly [K in keyof Manifest]: (state: HostState) => Problem[] } = {
  unitsEnabled: enabledTwice,
  unitsReload: nothing,
  settleMs: nothing,
  symlinks: ({ apps }) => apps.flatMap(missingSources),
  files: ({ apps }) => apps.flatMap(wrongFiles),
  validate: nothing,
  checks: nothing,
}

function nothing(): Problem[] {
  return []
}

/** The first app that claims a path has it. */
function wrongLinks(links: readonly Link[]): Problem[] {
  const claims = new Map<string, Link>()
  for (const link of links) if (!claims.has(link.path)) claims.set(link.path, link)
  return [
    ...links.filter(link => claims.get(link.path) !== link).map(link => claimedTwice(link, claims)),
    ...[...claims.values()].flatMap(link => insideOthers(link, claims)),
  ]
}

type Claims = ReadonlyMap<string, Link>

function claimedTwice(link: Link, claims: Claims): Problem {
  const other = claims.get(link.path)!
  return clash(link, `'${link.path}' is also claimed by '${other.app}/${other.source}'`)
}

function insideOthers(link: Link, claims: Claims): Problem[] {
  const problems: Problem[] = []
  for (let at = link.path.lastIndexOf('/'); at > 0; at = link.path.lastIndexOf('/', at - 1)) {
    const outer = claims.get(link.path.slice(0, at))
    if (outer)
      problems.push(clash(link, `'${link.path}' is inside '${outer.path}', a link of '${outer.app}'`))
  }
  return problems
}

function enabledTwice({ apps }: HostState): Problem[] {
  const enabled = new Map<UnitName, AppName>()
  return apps.flatMap(({ name, manifest }) =>
    manifest.unitsEnabled.flatMap(unit => {
      const other = enabled.get(unit)
      if (other === undefined) {
        enabled.set(unit, name)
        return []
      }
      return [
        {
          file: `${name}/manifest.json`,
          at: ['systemd', 'units_enabled'],
          what: `'${unit}' is also enabled by '${other}'`,
        },
      ]
    }),
  )
}

/** Two files of which one service would be generated, or one whose service a unit file would hide. */
function hiddenQuadlets({ apps }: HostState): Problem[] {
  const sources = new Map<UnitName, string>()
  for (const app of apps)
    for (const unit of unitsShipped(app)) sources.set(unit, `${app.name}/systemd/${unit}`)
  return apps.flatMap(app =>
    generatedFrom(app).flatMap(({ unit, path }) => {
      const file = `${app.name}/${path}`
      const other = sources.get(unit)
      if (other === undefined) sources.set(unit, file)
      return other === undefined
        ? []
        : [{ file, what: `its service '${unit}' is also defined by '${other}'` }]
    }),
  )
}

/** Attributes are for files: a directory that another user may write to would let it swap what root reads there. */
function wrongFiles(app: App): Problem[] {
  return app.manifest.files.flatMap(({ path }) => {
    const found = app.files.find(file => file.path === path)
    if (found && found.mode !== '120000') return []
    const isDirectory = app.files.some(file => file.path.startsWith(`${path}/`))
    const what = found
      ? `'${path}' is a symbolic link, which cannot have attributes of its own`
      : isDirectory
        ? `'${path}' is a directory`
        : `there is no '${path}' in the app`
    const hint = isDirectory ? { hint: 'list the files in it one by one' } : {}
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
