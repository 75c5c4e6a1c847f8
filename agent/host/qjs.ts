/** The machine on QuickJS: the only file that knows the C module. */
import * as native from 'native'
import { type Files, type Input, type Machine, SystemFailure, type Writer } from './machine.ts'

native.failWith(SystemFailure)

const PIECE = 256 * 1024

const root = native.getenv('DEPTOOL_ROOT').replace(/\/+$/, '')
const at = (path: string) => root + path

const files: Files = {
  read: path => withFile(native.openRead(at(path)), readAll),
  create: (path, mode) => writer(native.openNew(at(path), mode)),
  createNew: (path, mode) => writer(native.openExclusive(at(path), mode)),
  append: (path, mode) => writer(native.openAppend(at(path), mode)),
  readPieces: (path, each) => withFile(native.openPlain(at(path)), fd => readPieces(fd, each)),
  stat: path => native.lstat(at(path)),
  list: path => native.list(at(path))?.sort(),
  mkdir: (path, mode) => native.mkdir(at(path), mode),
  symlink: (target, path) => native.symlink(target, at(path)),
  readlink: path => native.readlink(at(path)),
  link: (existing, path) => native.link(at(existing), at(path)),
  rename: (from, to) => native.rename(at(from), at(to)),
  // A read-only file system is called that before it is looked at what there is.
  unlink: path => native.lstat(at(path)) !== undefined && native.unlink(at(path)),
  rmdir: path => native.lstat(at(path)) !== undefined && native.rmdir(at(path)),
  chmod: (path, mode) => native.chmod(at(path), mode),
  chown: (path, uid, gid) => native.lchown(at(path), uid, gid),
  sync: path => native.syncPath(at(path)),
  syncFileSystem: path => native.syncFileSystem(at(path)),
  space: path => native.space(at(path)),
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
  input,
  write: native.writeOutput,
  now: native.now,
  ticks: native.ticks,
  sleep: native.sleep,
  terminated: native.terminated,
  bootId,
  systemd: root === '' && native.lstat('/run/systemd/system')?.kind === 'directory',
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
function readAll(fd: number): Uint8Array {
  const expected = native.size(fd) || PIECE
  const first = native.read(fd, expected)
  if (first.byteLength < expected) return new Uint8Array(first)
  const rest: Uint8Array[] = []
  readPieces(fd, piece => rest.push(piece))
  return rest.length === 0 ? new Uint8Array(first) : join([new Uint8Array(first), ...rest])
}

function readPieces(fd: number, each: (piece: Uint8Array) => void): true {
  for (;;) {
    const piece = native.read(fd, PIECE)
    if (piece.byteLength > 0) each(new Uint8Array(piece))
    if (piece.byteLength < PIECE) return true
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
    sync: () => native.fsync(fd),
    close: () => native.close(fd),
  }
}

/** Of the kernel, and so without the root. */
function bootId(): string {
  const fd = native.openRead('/proc/sys/kernel/random/boot_id')
  if (fd === undefined) throw new SystemFailure('ENOENT', 'boot id')
  const text = String.fromCharCode(...new Uint8Array(native.read(fd, 64)))
  native.close(fd)
  return text.trim()
}
