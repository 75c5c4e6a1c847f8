/** Unit files as systemd finds and reads them: systemd.unit(5), and systemd.test.ts for what that leaves open. */
import type { Files } from '../../agent/host/machine.ts'
import { decodeUtf8 } from '../../src/plan/bytes.ts'

export const UNITS = '/etc/systemd/system'
export const GENERATED = '/run/systemd/generator'

const SEARCH = [UNITS, '/run/systemd/system', GENERATED, '/usr/lib/systemd/system']

/** The unit file with its drop-ins; undefined where there is none. */
export function definitionOf(files: Files, unit: string): string | undefined {
  const file = fileOf(files, unit)
  if (file === undefined) return undefined
  return [file, ...dropInsOf(files, unit)].map(path => textOf(files, path) ?? '').join('')
}

/** Where the unit's file is, or that of its template. A link that leads nowhere hides what would come after it. */
export function fileOf(files: Files, unit: string): string | undefined {
  const path = [unit, templateOf(unit)]
    .flatMap(name => SEARCH.map(directory => `${directory}/${name}`))
    .find(path => files.stat(path) !== undefined)
  return path !== undefined && textOf(files, path) !== undefined ? path : undefined
}

export function templateOf(unit: string): string {
  return unit.replace(/@.*(?=\.)/, '@')
}

/** In the order of their names; of two with one name, the unit's own counts and not its template's. */
function dropInsOf(files: Files, unit: string): string[] {
  const paths = [templateOf(unit), unit].flatMap(name =>
    namesIn(files, `${UNITS}/${name}.d`)
      .filter(entry => entry.endsWith('.conf'))
      .map((entry): [string, string] => [entry, `${UNITS}/${name}.d/${entry}`]),
  )
  return [...new Map(paths)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path)
}

/** What the targets want that a host boots into. The name of a link is what counts, not where it leads. */
export function wantedUnits(files: Files): string[] {
  const directories = [UNITS, GENERATED].flatMap(directory =>
    ['graphical.target', 'multi-user.target'].map(target => `${directory}/${target}.wants`),
  )
  const names = directories.flatMap(directory => namesIn(files, directory))
  return [...new Set(names)].filter(name => name.endsWith('.service'))
}

/** All that the setting is given, in one line or in several. */
export function valuesOf(definition: string, setting: string): string[] {
  return [...definition.matchAll(new RegExp(`^${setting}=(.*)$`, 'gm'))].flatMap(([, values = '']) =>
    values.split(' ').filter(value => value !== ''),
  )
}

export function namesIn(files: Files, directory: string): string[] {
  return files.list(directory) ?? []
}

export function textOf(files: Files, path: string): string | undefined {
  const real = resolved(files, path)
  const raw = files.stat(real)?.kind === 'file' ? files.read(real) : undefined
  return raw && decodeUtf8(raw)
}

/** The path with every link on it followed, as far as it exists. The files may be below a directory of ours. */
export function resolved(files: Pick<Files, 'readlink'>, path: string): string {
  let done = ''
  const left = path.split('/').filter(Boolean)
  for (let hops = 0; left.length > 0 && hops < 100; hops++) {
    const name = left.shift()!
    if (name === '..') done = done.slice(0, done.lastIndexOf('/'))
    else if (name !== '.') {
      const target = files.readlink(`${done}/${name}`)
      if (target === undefined) done = `${done}/${name}`
      else {
        left.unshift(...target.split('/').filter(Boolean))
        if (target.startsWith('/')) done = ''
      }
    }
  }
  return done
}
