/** Files with somebody who sees each change to them coming, and may do harm instead: every test of faults is made of it. */
import type { Directory, Files, Names, Writer } from '../../agent/host/machine.ts'

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
  const watch = new Watch(before)
  const { see } = watch
  return {
    ...files,
    ...watch.names(files, path => path),
    create(path, mode) {
      see('create', path)
      return watch.writer(path, files.create(path, mode))
    },
    append(path, mode) {
      see('append', path)
      return watch.writer(path, files.append(path, mode))
    },
    link(existing, path) {
      see('link', path)
      files.link(existing, path)
    },
    rmdir(path) {
      if (files.list(path)?.length === 0) see('rmdir', path)
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

class Watch {
  readonly #before: Before

  constructor(before: Before) {
    this.#before = before
  }

  readonly see = (call: Call['call'], path: string): void => this.#before({ call, path, half: () => {} })

  /** `whole` gives the path of a name. What is there already is not made, and what is not there not removed. */
  names(names: Names, whole: (name: string) => string): Names {
    const { see } = this
    return {
      ...names,
      open: name => {
        const directory = names.open(name)
        return directory && this.#directory(directory, whole(name))
      },
      createNew: (name, mode) => {
        see('create', whole(name))
        return this.writer(whole(name), names.createNew(name, mode))
      },
      mkdir: (name, mode) => {
        if (names.stat(name)?.kind !== 'directory') see('mkdir', whole(name))
        names.mkdir(name, mode)
      },
      symlink: (target, name) => {
        see('symlink', whole(name))
        names.symlink(target, name)
      },
      rename: (from, to) => {
        see('rename', whole(to))
        names.rename(from, to)
      },
      unlink: name => {
        if (names.stat(name)) see('unlink', whole(name))
        return names.unlink(name)
      },
      rmdir: name => {
        if (names.stat(name)) see('rmdir', whole(name))
        return names.rmdir(name)
      },
    }
  }

  writer(path: string, inner: Writer): Writer {
    return {
      write: bytes => {
        const half = () => inner.write(bytes.subarray(0, bytes.length >> 1))
        this.#before({ call: 'write', path, bytes, half })
        inner.write(bytes)
      },
      give: to => {
        this.see('chown', path)
        inner.give(to)
      },
      sync: () => {
        this.see('fsync', path)
        inner.sync()
      },
      close: () => inner.close(),
    }
  }

  #directory(directory: Directory, path: string): Directory {
    return {
      ...directory,
      ...this.names(directory, name => `${path === '/' ? '' : path}/${name}`),
      sync: () => {
        this.see('fsync', path)
        directory.sync()
      },
    }
  }
}
