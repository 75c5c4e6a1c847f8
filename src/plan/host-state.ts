/** The apps of a host with their files and manifests, read from a host tree. */
import { decodeUtf8 } from './bytes.ts'
import { type Manifest, NO_MANIFEST, parseManifest } from './manifest.ts'
import { type AppName, type AppPath, appName, type Oid, templateOf } from './names.ts'
import type { Problem } from './problem.ts'
import type { Contents, Reading } from './reading.ts'
import { isFileOf } from './special-directories.ts'
import { type FileMode, parseTree } from './tree.ts'

export interface AppFile {
  readonly path: AppPath
  readonly mode: FileMode
  readonly oid: Oid
}

export interface App {
  readonly name: AppName
  /** Apps are equal if their trees are. */
  readonly tree: Oid
  /** Sorted by path. */
  readonly files: readonly AppFile[]
  readonly manifest: Manifest
  /** Of the files in special directories that a plan depends on: those of units that are to be reloaded. */
  readonly texts: ReadonlyMap<AppPath, string>
}

export interface HostState {
  readonly apps: readonly App[]
  readonly problems: readonly Problem[]
  /** Every tree object of the host, the root first. */
  readonly trees: readonly Oid[]
}

export const EMPTY_HOST: HostState = { apps: [], problems: [], trees: [] }

/** A tree names an object that is not there. */
export class MissingObject extends Error {
  readonly oid: Oid
  constructor(oid: Oid) {
    super(`object ${oid} is missing`)
    this.oid = oid
  }
}

interface Directory {
  readonly host: Draft
  readonly app: AppDraft | undefined
  readonly prefix: string
  readonly oid: Oid
}

interface AppDraft {
  readonly name: AppName
  readonly tree: Oid
  readonly files: AppFile[]
  manifest: Manifest
  readonly texts: Map<AppPath, string>
}

interface Draft {
  readonly apps: AppDraft[]
  readonly problems: Problem[]
  readonly trees: Oid[]
  /** Files and directories read so far. */
  entries: number
}

/**
 * The states that the host trees `roots` describe, in the same order. Asks for objects level by level, for all
 * hosts at once, so that a far-away source is asked a handful of times. Throws MissingObject.
 */
export function* readHosts(roots: readonly Oid[]): Reading<HostState[]> {
  const hosts: Draft[] = roots.map(() => ({ apps: [], problems: [], trees: [], entries: 0 }))
  let level: Directory[] = roots.map((oid, i) => ({ host: hosts[i]!, app: undefined, prefix: '', oid }))
  while (level.length > 0) {
    const contents: Contents = yield unique(level.map(dir => dir.oid))
    level = level.flatMap(dir => readDirectory(dir, take(contents, dir.oid)))
  }
  for (const host of hosts) for (const app of host.apps) app.files.sort((a, b) => order(a.path, b.path))
  const contents: Contents = yield unique(hosts.flatMap(host => host.apps.flatMap(blobsToRead)))
  for (const host of hosts) for (const app of host.apps) readBlobs(host, app, contents)
  const files = hosts.flatMap(filesOfReloaded)
  const texts: Contents = files.length > 0 ? yield unique(files.map(({ file }) => file.oid)) : new Map()
  for (const { app, file } of files) app.texts.set(file.path, decodeUtf8(take(texts, file.oid)) ?? '')
  return hosts
}

/** Any app may ship the unit, or a drop-in for it. */
function filesOfReloaded({ apps }: Draft): { readonly app: AppDraft; readonly file: AppFile }[] {
  const units = apps.flatMap(app => app.manifest.unitsReload).flatMap(unit => [unit, templateOf(unit)])
  return apps.flatMap(app =>
    app.files
      .filter(({ mode, path }) => mode !== '120000' && isFileOf(units, path))
      .map(file => ({ app, file })),
  )
}

/** See gitdeploy-tree(5). A tree of a few kilobytes can describe billions: ten directories in each, ten levels deep. */
const MOST_ENTRIES = 50_000

/** In characters of up to 3 bytes each: PATH_MAX is 4096 bytes, and the version directory's path comes first. */
const LONGEST_PATH = 1300

/** -1, 0 or 1 by UTF-16 code units: the same in every engine and locale. */
export function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function readDirectory(dir: Directory, raw: Uint8Array): Directory[] {
  const { host, app, prefix } = dir
  host.trees.push(dir.oid)
  const below: Directory[] = []
  for (const entry of parseTree(raw, dir.oid.length / 2)) {
    const path = `${prefix}${entry.name}`
    const inApp = app ? `${app.name}/${path}` : path
    // A plain file beside the apps is ignored.
    if (!app && entry.kind === 'file') continue
    host.entries++
    if (host.entries === MOST_ENTRIES + 1)
      host.problems.push({
        file: inApp,
        what: `a host can have at most ${MOST_ENTRIES} files and directories`,
      })
    if (host.entries > MOST_ENTRIES) return []
    if (path.length > LONGEST_PATH)
      host.problems.push({
        file: `${inApp.slice(0, 100)}…`,
        what: 'cannot be deployed: its path is too long',
      })
    else if (entry.kind === 'refused')
      host.problems.push({ file: inApp, what: `cannot be deployed: ${entry.why}` })
    else if (app) {
      if (entry.kind === 'tree') below.push({ host, app, prefix: `${path}/`, oid: entry.oid })
      else app.files.push({ path: path as AppPath, mode: entry.mode, oid: entry.oid })
    } else {
      const name = appName(entry.name)
      if (name === undefined) continue // parseTree refuses all names that are not
      const draft: AppDraft = {
        name,
        tree: entry.oid,
        files: [],
        manifest: NO_MANIFEST,
        texts: new Map(),
      }
      host.apps.push(draft)
      below.push({ host, app: draft, prefix: '', oid: entry.oid })
    }
  }
  return below
}

const isManifest = (file: AppFile) => file.path === 'manifest.json'

function blobsToRead(app: AppDraft): Oid[] {
  return app.files.filter(file => isManifest(file) || file.mode === '120000').map(file => file.oid)
}

function readBlobs(host: Draft, app: AppDraft, contents: Contents): void {
  for (const file of app.files) {
    const at = `${app.name}/${file.path}`
    if (file.mode === '120000') {
      const target = decodeUtf8(take(contents, file.oid))
      if (isManifest(file)) host.problems.push({ file: at, what: 'a manifest cannot be a symbolic link' })
      else if (target === undefined || !staysInside(file.path, target))
        host.problems.push({
          file: at,
          what: `the symbolic link points outside its app, to '${target ?? '(not UTF-8)'}'`,
          hint: "a link in an app must point to a file in this app; to make links elsewhere on the host, use the manifest's 'symlinks'",
        })
    } else if (isManifest(file)) {
      const text = decodeUtf8(take(contents, file.oid))
      if (text === undefined) host.problems.push({ file: at, what: 'the manifest is not UTF-8' })
      else app.manifest = parseManifest(at, text, host.problems)
    }
  }
}

/**
 * Whether a link at `path` can only lead to places inside its app. `..` counts only at the front: behind a
 * directory that is itself a link, `..` would climb from where that link leads.
 */
function staysInside(path: AppPath, target: string): boolean {
  if (target === '' || target.startsWith('/') || target.includes('\0')) return false
  const parts = target.split('/').filter(part => part !== '' && part !== '.')
  const climbs = parts.filter(part => part === '..').length
  return climbs <= path.split('/').length - 1 && parts.slice(0, climbs).every(part => part === '..')
}

function unique(oids: readonly Oid[]): Oid[] {
  return [...new Set(oids)]
}

function take(contents: Contents, oid: Oid): Uint8Array {
  const found = contents.get(oid)
  if (found === undefined) throw new MissingObject(oid)
  return found
}
