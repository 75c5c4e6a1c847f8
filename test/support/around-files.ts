/** The agent's files with something around every call that changes them: a fault, a count, somebody who interferes. */
import type { Directory, Files, Names, Writer } from '../../agent/host/machine.ts'

/** Takes the place of a call. `act` does it, `half` half of it, where that can be. */
export type Around = <T>(call: Changing, act: () => T, half?: () => void) => T

export interface Changing {
  readonly call: 'write' | 'give' | Exclude<keyof Files | keyof Directory, (typeof LOOKING)[number]>
  /** A path, or the name in a directory; '' for what is done to an open file or directory. */
  readonly name: string
}

const LOOKING = ['stat', 'readlink', 'open', 'readPieces', 'read', 'list', 'space', 'self', 'close'] as const

export function filesAround(files: Files, around: Around): Files {
  const writer = writerAround(around)
  return {
    ...files,
    ...namesAround(files, around),
    create: (name, mode) => writer(around({ call: 'create', name }, () => files.create(name, mode))),
    append: (name, mode) => writer(around({ call: 'append', name }, () => files.append(name, mode))),
    link: (existing, name) => around({ call: 'link', name }, () => files.link(existing, name)),
    chmod: (name, mode) => around({ call: 'chmod', name }, () => files.chmod(name, mode)),
    chown: (name, uid, gid) => around({ call: 'chown', name }, () => files.chown(name, uid, gid)),
    sync: name => around({ call: 'sync', name }, () => files.sync(name)),
    syncFileSystem: name => around({ call: 'syncFileSystem', name }, () => files.syncFileSystem(name)),
  }
}

function namesAround(names: Names, around: Around): Names {
  const writer = writerAround(around)
  return {
    ...names,
    open: name => {
      const directory = names.open(name)
      return directory && directoryAround(directory, around)
    },
    createNew: (name, mode) => writer(around({ call: 'createNew', name }, () => names.createNew(name, mode))),
    mkdir: (name, mode) => around({ call: 'mkdir', name }, () => names.mkdir(name, mode)),
    symlink: (target, name) => around({ call: 'symlink', name }, () => names.symlink(target, name)),
    rename: (from, name) => around({ call: 'rename', name }, () => names.rename(from, name)),
    unlink: name => around({ call: 'unlink', name }, () => names.unlink(name)),
    rmdir: name => around({ call: 'rmdir', name }, () => names.rmdir(name)),
  }
}

function directoryAround(directory: Directory, around: Around): Directory {
  return {
    ...directory,
    ...namesAround(directory, around),
    sync: () => around({ call: 'sync', name: '' }, () => directory.sync()),
  }
}

function writerAround(around: Around): (inner: Writer) => Writer {
  return inner => ({
    write: bytes =>
      around(
        { call: 'write', name: '' },
        () => inner.write(bytes),
        () => inner.write(bytes.subarray(0, bytes.length >> 1)),
      ),
    give: to => around({ call: 'give', name: '' }, () => inner.give(to)),
    sync: () => around({ call: 'sync', name: '' }, () => inner.sync()),
    close: () => inner.close(),
  })
}
