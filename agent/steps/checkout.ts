/** Version directories: an app's new files, written beside the running ones. */
import { attributesOf, type FileAttributes, sameAttributes } from '../../src/plan/attributes.ts'
import { decodeUtf8, encodeUtf8 } from '../../src/plan/bytes.ts'
import type { App, AppFile } from '../../src/plan/host-state.ts'
import type { AppName, Oid } from '../../src/plan/names.ts'
import { APPS, currentOf } from '../../src/plan/places.ts'
import { hashIfSized, type Wanted } from '../host/contents.ts'
import { makeDirectories, removeTree } from '../host/files.ts'
import type { Machine, Stat } from '../host/machine.ts'
import { isVersion, parentOf, versionPath } from '../host/paths.ts'
import type { Store } from '../store/store.ts'
import { applyAttributes, hasAttributes } from './attributes.ts'

interface CheckedOut {
  readonly app: App
  /** Unchanged files are linked from here. They keep their time stamps, and systemd sees unit files as unchanged. */
  readonly running: App | undefined
  readonly commit: Oid
  readonly wanted: Wanted
}

/**
 * Writes the version directory; staging makes it durable. A directory that is there already was left by an aborted run,
 * and is replaced. Throws Unwanted.
 */
export function checkout(machine: Machine, store: Store, { app, running, commit, wanted }: CheckedOut): void {
  const { files } = machine
  const directory = versionPath(app.name, commit)
  removeTree(files, directory)
  makeDirectories(files, directory, 0o755)
  const runs = runningVersion(files, app.name)
  const before = new Map(running?.files.map(file => [file.path, file]))
  for (const file of app.files) {
    const path = `${directory}/${file.path}`
    makeDirectories(files, parentOf(path), 0o755)
    const old = before.get(file.path)
    const source = `${runs}/${file.path}`
    const attributes = attributesOf(app.manifest.files, file.path)
    const sameOwner = sameAttributes(attributesOf(running?.manifest.files ?? [], file.path), attributes)
    if (
      runs &&
      old &&
      sameOwner &&
      sameFile(old, file) &&
      intact({ machine, store, wanted }, source, file, attributes)
    )
      files.link(source, path)
    else writeFile(machine, store, file, attributes, path)
  }
}

/** The directory that `current` leads to; undefined if `current` was changed by hand, and leads elsewhere. */
function runningVersion(files: Machine['files'], app: AppName): string | undefined {
  const current = files.readlink(currentOf(app))
  return current !== undefined && isVersion(current) ? `${APPS}/${app}/${current}` : undefined
}

function sameFile(a: AppFile, b: AppFile): boolean {
  return a.oid === b.oid && a.mode === b.mode && b.mode !== '120000'
}

/** Whether the running file is still what was deployed: an edit in place must not survive through a hard link. */
function intact(
  comparing: Comparing,
  path: string,
  file: AppFile,
  attributes: FileAttributes | undefined,
): boolean {
  const { machine } = comparing
  const stat = machine.files.stat(path)
  if (stat?.kind !== 'file' || stat.mode !== (attributes?.mode ?? modeOf(file))) return false
  if (attributes && !hasAttributes(machine, stat, attributes)) return false
  return isObject(comparing, path, stat, file.oid)
}

export interface Comparing {
  readonly machine: Machine
  readonly store: Store
  readonly wanted: Wanted
}

/** A file that is larger is not read before its size is known to be right. */
const SMALL = 64 * 1024

/**
 * Whether the file or symbolic link is still what the object holds. The file may belong to somebody who has made it as
 * large as he likes. Throws Unwanted.
 */
export function isObject({ machine, store, wanted }: Comparing, path: string, stat: Stat, oid: Oid): boolean {
  const { files } = machine
  if (stat.kind === 'file' && stat.size > SMALL && (store.sizeOf(oid) ?? stat.size) !== stat.size)
    return false
  const hash = machine.hasher(oid.length === 64 ? 'sha256' : 'sha1')
  const target = stat.kind === 'symlink' ? encodeUtf8(files.readlink(path) ?? '') : undefined
  const size = target?.length ?? stat.size
  hash.update(encodeUtf8(`blob ${size}\0`))
  if (target) hash.update(target)
  else if (!hashIfSized({ names: files, name: path }, size, hash, wanted)) return false
  return hash.digest() === oid
}

function writeFile(
  machine: Machine,
  store: Store,
  file: AppFile,
  attributes: FileAttributes | undefined,
  path: string,
): void {
  const { files } = machine
  if (file.mode === '120000') {
    files.symlink(linkTarget(store, file), path)
    return
  }
  // It may be a key, and its owner may be created by a later step: until then only root can read it.
  const mode = attributes?.mode ?? null
  const writer = files.create(path, mode === null ? modeOf(file) : mode & 0o700)
  store.copyBlob(file.oid, writer)
  writer.close()
  if (attributes) applyAttributes(machine, path, attributes)
}

/** Reading the tree has checked that the target is text, and stays inside the app. */
function linkTarget(store: Store, file: AppFile): string {
  return decodeUtf8(store.read([file.oid]).get(file.oid)!)!
}

export function modeOf(file: AppFile): number {
  return file.mode === '100755' ? 0o755 : 0o644
}
