/** The machine on QuickJS: the only file that knows the C module. */
import * as native from 'native'
import {
  type Directory,
  type Files,
  type Input,
  type Machine,
  type Names,
  READ_MAX,
  SystemFailure,
  type Writer,
} from './machine.ts'

native.failWith(SystemFailure)

const PIECE = 256 * 1024

const root = native.getenv('DEPTOOL_ROOT').replace(/\/+$/, '')
const at = (path: string) => root + path

/** Relative to an open directory; `at` makes of a name what the system is told. */
function names(fd: number, at: (name: string) => string): Names {
  return {
    stat: name => native.lstat(fd, at(name)),
    readlink: name => native.readlink(fd, at(name)),
    open: name => {
      const opened = native.openDirectory(fd, at(name))
      return opened === undefined ? undefined : directory(opened)
    },
    readPieces: (name, each) =>
      withFile(native.openPlain(fd, at(name)), opened => {
        const stat = native.status(opened)
        readPieces(opened, each)
        return stat
      }),
    createNew: (name, mode) => writer(native.openExclusive(fd, at(name), mode)),
    mkdir: (name, mode) => native.mkdir(fd, at(name), mode),
    symlink: (target, name) => native.symlink(fd, target, at(name)),
    rename: (from, to) => native.rename(fd, at(from), at(to)),
    // A read-only file system is called that before it is looked at what there is.
    unlink: name => native.lstat(fd, at(name)) !== undefined && native.unlink(fd, at(name)),
    rmdir: name => native.lstat(fd, at(name)) !== undefined && native.rmdir(fd, at(name)),
  }
}

function directory(fd: number): Directory {
  return {
    ...names(fd, single),
    self: () => native.status(fd),
    sync: () => native.fsync(fd),
    close: () => native.close(fd),
  }
}

/** A path would lead out of the directory that was opened. */
function single(name: string): string {
  if (name.includes('/')) throw new SystemFailure('EINVAL', `find '${name}'`)
  return name
}

const files: Files = {
  ...names(native.NOWHERE, at),
  read: path => withFile(native.openRead(native.NOWHERE, at(path)), fd => readAll(fd, path)),
  create: (path, mode) => writer(native.openNew(native.NOWHERE, at(path), mode)),
  append: (path, mode) => writer(native.openAppend(native.NOWHERE, at(path), mode)),
  list: path => native.list(at(path))?.sort(),
  link: (existing, path) => native.link(native.NOWHERE, at(existing), at(path)),
  chmod: (path, mode) => native.chmod(native.NOWHERE, at(path), mode),
  chown: (path, uid, gid) => native.lchown(native.NOWHERE, at(path), uid, gid),
  sync: path => syncBy(native.fsync, path),
  syncFileSystem: path => syncBy(native.syncfs, path),
  space: path => native.space(at(path)),
}

function syncBy(sync: (fd: number) => void, path: string): void {
  const fd = native.openRead(native.NOWHERE, at(path))
  if (fd === undefined) throw new SystemFailure('ENOENT', `fsync '${path}'`)
  withFile(fd, sync)
}

const input: Input = {
  read: ms => {
    const got = native.readInput(ms)
    if (got === undefined) return 'timeout'
    return got.byteLength > 0 ? new Uint8Array(got) : 'end'
  },
}

export const machine: Machine = {
  root,
  files,
  user: native.user(),
  input,
  write: native.writeOutput,
  now: native.now,
  ticks: native.ticks,
  sleep: native.sleep,
  terminated: native.terminated,
  bootId,
  systemd: root === '' && native.lstat(native.NOWHERE, '/run/systemd/system')?.kind === 'directory',
  run: (argv, { cwd, timeoutMs = Infinity, interrupted } = {}) =>
    native.run(argv, cwd === undefined ? undefined : at(cwd), timeoutMs, interrupted),
  probe: (endpoint, request, timeoutMs) =>
    'path' in endpoint
      ? native.probe(at(endpoint.path), 0, request, timeoutMs)
      : native.probe(endpoint.address, endpoint.port, request, timeoutMs),
  hasher: native.hasher,
  lock: path => native.lock(at(path)),
}

function withFile<T>(fd: number | undefined, use: (fd: number) => T): T | undefined {
  if (fd === undefined) return undefined
  try {
    return use(fd)
  } finally {
    native.close(fd)
  }
}

/** A file that says it is empty may still have something to tell: those of /proc do. */
function readAll(fd: number, path: string): Uint8Array {
  const expected = native.status(fd).size || PIECE
  const first = native.read(fd, Math.min(expected, READ_MAX + 1))
  let left = READ_MAX - first.byteLength
  if (left >= 0 && first.byteLength < expected) return new Uint8Array(first)
  const rest: Uint8Array[] = []
  if (left >= 0)
    readPieces(fd, piece => {
      left -= piece.length
      rest.push(piece)
      return left >= 0
    })
  if (left < 0) throw new SystemFailure('EFBIG', `read '${path}'`)
  return rest.length === 0 ? new Uint8Array(first) : join([new Uint8Array(first), ...rest])
}

function readPieces(fd: number, each: (piece: Uint8Array) => unknown): void {
  for (;;) {
    const piece = native.read(fd, PIECE)
    if (piece.byteLength > 0 && each(new Uint8Array(piece)) === false) return
    if (piece.byteLength < PIECE) return
  }
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0))
  let end = 0
  for (const piece of pieces) {
    all.set(piece, end)
    end += piece.length
  }
  return all
}

function writer(fd: number): Writer {
  return {
    write: bytes => native.write(fd, bytes),
    // The owner first: chown(2) takes set-user-ID bits away, and the mode may be for the new group only.
    give: ({ uid, gid, mode }) => {
      native.fchown(fd, uid, gid)
      native.fchmod(fd, mode)
    },
    sync: () => native.fsync(fd),
    close: () => native.close(fd),
  }
}

/** Of the kernel, and so without the root. */
function bootId(): string {
  const fd = native.openRead(native.NOWHERE, '/proc/sys/kernel/random/boot_id')
  if (fd === undefined) throw new SystemFailure('ENOENT', 'boot id')
  const text = String.fromCharCode(...new Uint8Array(native.read(fd, 64)))
  native.close(fd)
  return text.trim()
}
