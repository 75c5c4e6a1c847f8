/** The links on a host that an app implies: from its special directories and from its manifest's symlinks. */
import { type App, order } from './host-state.ts'
import type { AppName, AppPath, HostPath } from './names.ts'
import { currentOf, type LinkRole, PLACES, SPECIAL_ROLES } from './places.ts'
import { SPECIAL } from './special-directories.ts'

export interface Link {
  readonly path: HostPath
  /** Always through the app's `current`, so that a link outlives the versions. */
  readonly target: HostPath
  readonly role: LinkRole
  readonly app: AppName
  readonly source: AppPath
}

/** The links of one app, ordered by path. */
export function linksOf(app: App): Link[] {
  const special = SPECIAL_ROLES.flatMap(role => {
    const { directory, takes } = SPECIAL[role]
    return filesBelow(app, directory)
      .filter(name => takes(name))
      .map(name => link(app, `${PLACES[role]}/${name}`, `${directory}/${name}`, role))
  })
  const declared = app.manifest.symlinks.map(({ path, source }) => link(app, path, source, 'symlink'))
  return [...special, ...declared].sort((a, b) => order(a.path, b.path))
}

/** The files in special directories that are not linked, because the host would ignore files of their names. */
export function leftUnlinked(app: App): AppPath[] {
  return Object.values(SPECIAL).flatMap(({ directory, takes }) =>
    filesBelow(app, directory)
      .filter(name => !takes(name) && !`/${name}`.includes('/.'))
      .map(name => `${directory}/${name}` as AppPath),
  )
}

/** Paths below the directory. */
function filesBelow(app: App, directory: string): string[] {
  return app.files
    .filter(({ path }) => path.startsWith(`${directory}/`))
    .map(({ path }) => path.slice(directory.length + 1))
}

function link(app: App, path: string, source: string, role: LinkRole): Link {
  return {
    path: path as HostPath,
    target: `${currentOf(app.name)}/${source}` as HostPath,
    role,
    app: app.name,
    source: source as AppPath,
  }
}
