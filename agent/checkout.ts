/** Version directories: an app's files as they will be, written beside the running ones. */
import { decodeUtf8, encodeUtf8 } from '../src/plan/bytes.ts'
import { type App, type AppFile, order } from '../src/plan/host-state.ts'
import { APPS } from '../src/plan/links.ts'
import type { AppName, Oid } from '../src/plan/names.ts'
import { makeDirectories, removeTree } from './files.ts'
import type { Machine } from './machine.ts'
import { parentOf } from './paths.ts'
import type { Store } from './store.ts'

/** The name of the version directories that a deployment of `commit` makes. */
export function versionName(commit: Oid): string {
  return commit.slice(0, 10)
}

export function versionPath(app: AppName, commit: Oid): string {
  return `${APPS}/${app}/${versionName(commit)}`
}

export interface CheckedOut {
  readonly app: App
  /** The app as it runs now, where it does: unchanged files keep their inode, and so their time stamps. */
  readonly running: App | undefined
  readonly commit: Oid
}

/** Writes the version directory, durably. One that is already there is an aborted run's, and is written anew. */
export function checkout(machine: Machine, store: Store, { app, running, commit }: CheckedOut): void {
  const { files } = machine
  const directory = versionPath(app.name, commit)
  removeTree(files, directory)
  makeDirectories(files, directory, 0o755)
  const before = new Map(running?.files.map(file => [file.path, file]))
  const made = new Set([directory, `${APPS}/${app.name}`])
  for (const file of app.files) {
    const path = `${directory}/${file.path}`
    makeDirectories(files, parentOf(path), 0o755)
    for (let at = parentOf(path); at !== directory; at = parentOf(at)) made.add(at)
    const old = before.get(file.path)
    const source = `${APPS}/${app.name}/current/${file.path}`
    if (old && sameFile(old, file) && intact(machine, source, file)) files.link(source, path)
    else writeFile(machine, store, file, path)
  }
  // Deepest first: a directory is durable when its entries are.
  for (const path of [...made].sort(order).reverse()) files.sync(path)
}

function sameFile(a: AppFile, b: AppFile): boolean {
  return a.oid === b.oid && a.mode === b.mode && b.mode !== '120000'
}

/** Whether the running file is still what was deployed: one that was edited in place must not live on by a hard link. */
function intact({ files, hasher }: Machine, path: string, file: AppFile): boolean {
  const stat = files.stat(path)
  if (stat?.kind !== 'file' || stat.mode !== modeOf(file)) return false
  const hash = hasher(file.oid.length === 64 ? 'sha256' : 'sha1')
  hash.update(encodeUtf8(`blob ${stat.size}\0`))
  files.readPieces(path, piece => hash.update(piece))
  return hash.digest() === file.oid
}

function writeFile({ files }: Machine, store: Store, file: AppFile, path: string): void {
  if (file.mode === '120000') {
    files.symlink(linkTarget(store, file), path)
    return
  }
  const writer = files.create(path, modeOf(file))
  store.copyBlob(file.oid, writer)
  writer.sync()
  writer.close()
}

/** The target was checked when the tree was read: it is text, and stays inside the app. */
function linkTarget(store: Store, file: AppFile): string {
  return decodeUtf8(store.read([file.oid]).get(file.oid)!)!
}

function modeOf(file: AppFile): number {
  return file.mode === '100755' ? 0o755 : 0o644
}
