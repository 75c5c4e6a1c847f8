/** Files with somebody who sees each change to them coming, and may do harm instead: every test of faults is made of it. */
import type { Files, Writer } from '../../agent/host/machine.ts'

/** What is about to be done. */
export interface Call {
  readonly call:
    | 'create'
    | 'append'
    | 'write'
    | 'mkdir'
    | 'symlink'
    | 'link'
    | 'rename'
    | 'unlink'
    | 'rmdir'
    | 'chmod'
    | 'chown'
    | 'fsync'
    | 'syncfs'
  /** Of a rename, the new name. */
  readonly path: string
  /** What is to be written, behind what is there. */
  readonly bytes?: Uint8Array
  /** Does the first half of it: of a write the first half of the bytes, of anything else nothing. */
  readonly half: () => void
}

/** Called ahead of everything that changes something, and of each sync. What it throws happens instead. */
export type Before = (call: Call) => void

export function watchedFiles(files: Files, before: Before): Files {
  const see = (call: Call['call'], path: string) => before({ call, path, half: () => {} })
  const writer = (path: string, inner: Writer): Writer => ({
    write(bytes) {
      before({ call: 'write', path, bytes, half: () => inner.write(bytes.subarray(0, bytes.length >> 1)) })
      inner.write(bytes)
    },
    sync() {
      see('fsync', path)
      inner.sync()
    },
    close: () => inner.close(),
  })
  return {
    ...files,
    create(path, mode) {
      see('create', path)
      return writer(path, files.create(path, mode))
    },
    createNew(path, mode) {
      see('create', path)
      return writer(path, files.createNew(path, mode))
    },
    append(path, mode) {
      see('append', path)
      return writer(path, files.append(path, mode))
    },
    // What is there already is not made, and what is not there not removed: nothing changes, and nothing can fail.
    mkdir(path, mode) {
      if (files.list(path) !== undefined) return
      see('mkdir', path)
      files.mkdir(path, mode)
    },
    symlink(target, path) {
      see('symlink', path)
      files.symlink(target, path)
    },
    link(existing, path) {
      see('link', path)
      files.link(existing, path)
    },
    rename(from, to) {
      see('rename', to)
      files.rename(from, to)
    },
    unlink(path) {
      if (files.stat(path) === undefined) return false
      see('unlink', path)
      return files.unlink(path)
    },
    rmdir(path) {
      if (files.list(path)?.length !== 0) return files.rmdir(path)
      see('rmdir', path)
      return files.rmdir(path)
    },
    chmod(path, mode) {
      see('chmod', path)
      files.chmod(path, mode)
    },
    chown(path, uid, gid) {
      see('chown', path)
      files.chown(path, uid, gid)
    },
    sync(path) {
      see('fsync', path)
      files.sync(path)
    },
    syncFileSystem(path) {
      see('syncfs', path)
      files.syncFileSystem(path)
    },
  }
}
