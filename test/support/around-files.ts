/** The agent's files with something around every call: a fault, a count, somebody who interferes. */
import type { Directory, Files, Names, Writer } from '../../agent/host/machine.ts'

/** Takes the place of a call that changes something. `act` does it, `half` half of it, where that can be. */
export type Around = <T>(call: Changing, act: () => T, half?: () => void) => T

export interface Changing {
  readonly call: 'write' | 'give' | Exclude<keyof Files | keyof Directory, (typeof LOOKING)[number]>
  readonly path: string
}

const LOOKING = ['stat', 'readlink', 'open', 'readPieces', 'read', 'list', 'space', 'self', 'close'] as const

/** The path by which a name is known. */
type At = (name: string) => string

const asItIs: At = path => path
const inside =
  (directory: string): At =>
  name =>
    `${directory === '/' ? '' : directory}/${name}`

export function filesAround(files: Files, around: Around): Files {
  const writer = writerAround(around)
  return {
    ...files,
    ...namesAround(files, around, asItIs),
    create: (path, mode) =>
      writer(
        path,
        around({ call: 'create', path }, () => files.create(path, mode)),
      ),
    append: (path, mode) =>
      writer(
        path,
        around({ call: 'append', path }, () => files.append(path, mode)),
      ),
    link: (existing, path) => around({ call: 'link', path }, () => files.link(existing, path)),
    chmod: (path, mode) => around({ call: 'chmod', path }, () => files.chmod(path, mode)),
    chown: (path, uid, gid) => around({ call: 'chown', path }, () => files.chown(path, uid, gid)),
    sync: path => around({ call: 'sync', path }, () => files.sync(path)),
    syncFileSystem: path => around({ call: 'syncFileSystem', path }, () => files.syncFileSystem(path)),
  }
}

function namesAround(names: Names, around: Around, at: At): Names {
  const writer = writerAround(around)
  const change = <T>(call: keyof Names, name: string, act: () => T): T =>
    around({ call: call as Changing['call'], path: at(name) }, act)
  return {
    ...names,
    open: name => {
      const directory = names.open(name)
      return directory && directoryAround(directory, around, at(name))
    },
    createNew: (name, mode) =>
      writer(
        at(name),
        change('createNew', name, () => names.createNew(name, mode)),
      ),
    mkdir: (name, mode) => change('mkdir', name, () => names.mkdir(name, mode)),
    symlink: (target, name) => change('symlink', name, () => names.symlink(target, name)),
    rename: (from, name) => change('rename', name, () => names.rename(from, name)),
    unlink: name => change('unlink', name, () => names.unlink(name)),
    rmdir: name => change('rmdir', name, () => names.rmdir(name)),
  }
}

function directoryAround(directory: Directory, around: Around, path: string): Directory {
  return {
    ...directory,
    ...namesAround(directory, around, inside(path)),
    sync: () => around({ call: 'sync', path }, () => directory.sync()),
  }
}

function writerAround(around: Around): (path: string, inner: Writer) => Writer {
  return (path, inner) => ({
    write: bytes =>
      around(
        { call: 'write', path },
        () => inner.write(bytes),
        () => inner.write(bytes.subarray(0, bytes.length >> 1)),
      ),
    give: to => around({ call: 'give', path }, () => inner.give(to)),
    sync: () => around({ call: 'sync', path }, () => inner.sync()),
    close: () => inner.close(),
  })
}

/** Tells of every call that only looks, before it does. */
export function filesWatched(files: Files, before: (path: string) => void): Files {
  return {
    ...files,
    ...namesWatched(files, before, asItIs),
    read: path => after(before(path), () => files.read(path)),
    list: path => after(before(path), () => files.list(path)),
    space: path => after(before(path), () => files.space(path)),
  }
}

function namesWatched(names: Names, before: (path: string) => void, at: At) {
  return {
    stat: name => after(before(at(name)), () => names.stat(name)),
    readlink: name => after(before(at(name)), () => names.readlink(name)),
    open: name => {
      const directory = after(before(at(name)), () => names.open(name))
      return directory && directoryWatched(directory, before, at(name))
    },
    readPieces: (name, each) => after(before(at(name)), () => names.readPieces(name, each)),
  } satisfies Partial<Names>
}

function directoryWatched(directory: Directory, before: (path: string) => void, path: string): Directory {
  return {
    ...directory,
    ...namesWatched(directory, before, inside(path)),
    self: () => after(before(path), () => directory.self()),
  }
}

function after<T>(_: void, act: () => T): T {
  return act()
}
