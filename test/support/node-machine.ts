/** The agent's machine on Node, so that the agent's logic runs in unit tests, under a directory that stands for `/`. */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Endpoint,
  type Files,
  type Input,
  type Machine,
  type Ran,
  type RunOptions,
  type Stat,
  SystemFailure,
  type Writer,
} from '../../agent/host/machine.ts'

export interface NodeMachineOptions {
  /** The directory that stands for `/`. It must exist. */
  readonly root: string
  /** What input.read gives, one after the other, and then 'end'. */
  readonly input?: readonly (Uint8Array | 'timeout')[]
  /** Whether nobody else has to do with the root: a lock is the file then, and takes no process. */
  readonly alone?: boolean
}

export interface NodeMachine extends Machine {
  /** What was written to stdout. */
  readonly output: Uint8Array[]
  /** Lets go of the locks, as the end of the agent's process does. */
  exit(): void
}

const PIECE = 256 * 1024
const KEPT = 64 * 1024

/** A plain object: a test replaces what it wants to, `{ ...nodeMachine({ root }), run: fakeSystemctl }`. */
export function nodeMachine({ root, input = [], alone = false }: NodeMachineOptions): NodeMachine {
  const at = (path: string) => root + path
  const output: Uint8Array[] = []
  const locks: number[] = []
  process.umask(0o022)
  return {
    root,
    files: filesUnder(at),
    input: queue(input),
    output,
    write: bytes => output.push(bytes.slice()) > 0,
    now: () => Date.now(),
    // As the agent's: the same for all processes.
    ticks: () => Number(process.hrtime.bigint() / 1000n) / 1000,
    sleep: ms => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
    terminated: () => false,
    bootId: () => fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    systemd: false,
    run: (argv, { cwd, ...options } = {}) =>
      run(argv, cwd === undefined ? options : { ...options, cwd: at(cwd) }),
    probe: (endpoint, request, timeoutMs) =>
      probe('path' in endpoint ? { path: at(endpoint.path) } : endpoint, request, timeoutMs),
    hasher: algorithm => {
      const hash = createHash(algorithm)
      return { update: bytes => void hash.update(bytes), digest: () => hash.digest('hex') }
    },
    lock: path => {
      const fd = alone ? open(at(path)) : take(at(path))
      if (fd !== undefined) locks.push(fd)
      return fd !== undefined
    },
    exit: () => {
      for (const fd of locks.splice(0)) fs.closeSync(fd)
    },
  }
}

function filesUnder(at: (path: string) => string): Files {
  const syncPath = (path: string) => {
    const { sync, close } = writer(call(() => fs.openSync(at(path), 'r')))
    sync()
    close()
  }
  const isThere = (path: string) => orUndefined(() => fs.lstatSync(at(path)), ABSENT) !== undefined
  return {
    read: path =>
      orUndefined(() => {
        const fd = fs.openSync(at(path), READ)
        try {
          return new Uint8Array(fs.readFileSync(fd))
        } finally {
          fs.closeSync(fd)
        }
      }, ABSENT),
    create: (path, mode) => writer(call(() => fs.openSync(at(path), 'w', mode))),
    createNew: (path, mode) => writer(call(() => fs.openSync(at(path), 'wx', mode))),
    append: (path, mode) => writer(call(() => fs.openSync(at(path), 'a', mode))),
    readPieces: (path, each) => {
      const fd = orUndefined(() => fs.openSync(at(path), PLAIN), ABSENT)
      return fd === undefined ? undefined : readPieces(fd, each)
    },
    stat: path => orUndefined(() => toStat(fs.lstatSync(at(path))), ABSENT),
    list: path => orUndefined(() => fs.readdirSync(at(path)).sort(), ABSENT),
    mkdir: (path, mode) => {
      if (!fs.statSync(at(path), { throwIfNoEntry: false })?.isDirectory())
        call(() => fs.mkdirSync(at(path), mode))
    },
    symlink: (target, path) => call(() => fs.symlinkSync(target, at(path))),
    readlink: path => orUndefined(() => fs.readlinkSync(at(path)), [...ABSENT, 'EINVAL']),
    link: (existing, path) => call(() => fs.linkSync(at(existing), at(path))),
    rename: (from, to) => call(() => fs.renameSync(at(from), at(to))),
    unlink: path => isThere(path) && (orUndefined(() => fs.unlinkSync(at(path)) ?? true, ABSENT) ?? false),
    rmdir: path =>
      isThere(path) &&
      (orUndefined(() => fs.rmdirSync(at(path)) ?? true, [...ABSENT, 'ENOTEMPTY', 'EEXIST']) ?? false),
    // Node has no fchmodat(2).
    chmod: (path, mode) => {
      if (fs.lstatSync(at(path), { throwIfNoEntry: false })?.isSymbolicLink())
        throw new SystemFailure('EOPNOTSUPP', `chmod '${path}'`)
      call(() => fs.chmodSync(at(path), mode))
    },
    chown: (path, uid, gid) => call(() => fs.lchownSync(at(path), uid, gid)),
    sync: syncPath,
    // Node has no syncfs(2), and nobody here cuts the power.
    syncFileSystem: syncPath,
    space: path => {
      const { bavail, bsize, files, ffree } = call(() => fs.statfsSync(at(path)))
      const inodes = files === 0 ? Number.POSITIVE_INFINITY : ffree
      return { bytes: bavail * bsize, inodes, readOnly: isReadOnly(at(path)) }
    },
  }
}

/** Node's statfs keeps the flags to itself; access(2) tells even root. */
function isReadOnly(path: string): boolean {
  try {
    fs.accessSync(path, fs.constants.W_OK)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS'
  }
}

const READ = fs.constants.O_RDONLY | fs.constants.O_NONBLOCK
const PLAIN = READ | fs.constants.O_NOFOLLOW

const ABSENT = ['ENOENT', 'ENOTDIR']

/** What `use` gives, or undefined where it fails in one of the ways that are an answer. */
function orUndefined<T>(use: () => T, expected: readonly string[]): T | undefined {
  try {
    return call(use)
  } catch (error) {
    if (error instanceof SystemFailure && expected.includes(error.code)) return undefined
    throw error
  }
}

function call<T>(use: () => T): T {
  try {
    return use()
  } catch (error) {
    const { code, syscall, path } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    // Node's own check, before any system call: a path with a NUL.
    throw new SystemFailure(code === 'ERR_INVALID_ARG_VALUE' ? 'EINVAL' : code, `${syscall} '${path}'`)
  }
}

function writer(fd: number): Writer {
  return {
    write: bytes =>
      call(() => {
        for (let put = 0; put < bytes.length; ) put += fs.writeSync(fd, bytes, put)
      }),
    sync: () => call(() => fs.fsyncSync(fd)),
    close: () => call(() => fs.closeSync(fd)),
  }
}

function readPieces(fd: number, each: (piece: Uint8Array) => void): true {
  try {
    for (;;) {
      const piece = new Uint8Array(PIECE)
      const length = call(() => fs.readSync(fd, piece))
      if (length === 0) return true
      each(piece.subarray(0, length))
    }
  } finally {
    fs.closeSync(fd)
  }
}

function toStat(stat: fs.Stats): Stat {
  const { mode, uid, gid, size, mtimeMs } = stat
  const kind = stat.isFile()
    ? 'file'
    : stat.isDirectory()
      ? 'directory'
      : stat.isSymbolicLink()
        ? 'symlink'
        : 'other'
  return { kind, mode: mode & 0o7777, uid, gid, size, mtimeMs }
}

function queue(items: readonly (Uint8Array | 'timeout')[]): Input {
  const left = [...items]
  return { read: () => left.shift() ?? 'end' }
}

/** Into files rather than pipes: a grandchild that keeps a pipe open would hold spawnSync up. */
function run([program, ...args]: readonly string[], { cwd, timeoutMs, interrupted }: RunOptions): Ran {
  if (interrupted) return runWhileWanted([program!, ...args], interrupted)
  const directory = fs.mkdtempSync(join(tmpdir(), 'node-machine-'))
  const out = fs.openSync(join(directory, 'out'), 'w+')
  const err = fs.openSync(join(directory, 'err'), 'w+')
  try {
    const { status, signal, error } = spawnSync(program!, args, {
      stdio: ['ignore', out, err],
      env: { ...process.env, LC_ALL: 'C', SYSTEMD_COLORS: '0', SYSTEMD_PAGER: '' },
      ...(cwd === undefined ? {} : { cwd }),
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, killSignal: 'SIGKILL' }),
    })
    const { code } = (error ?? {}) as NodeJS.ErrnoException
    if (code !== undefined && code !== 'ETIMEDOUT') throw new SystemFailure(code, `run '${program}'`)
    return { code: signal ? null : status, stdout: lastOf(out), stderr: lastOf(err) }
  } finally {
    fs.closeSync(out)
    fs.closeSync(err)
    fs.rmSync(directory, { recursive: true })
  }
}

/** In a process of its own, because Node's sockets wait for nobody. */
function probe(endpoint: Endpoint, request: string, timeoutMs: number): string {
  const target = 'path' in endpoint ? endpoint : { host: endpoint.address, port: endpoint.port }
  const script = `
    let heard = ''
    const end = (text, code) => { process.stdout.write(text); process.exit(code) }
    setTimeout(end, ${timeoutMs}, 'ETIMEDOUT', 1)
    const socket = require('net').connect(${JSON.stringify(target)})
    socket.on('error', ({ code }) => end(code, 1))
    socket.on('end', () => end(heard, 0))
    socket.on('connect', () => ${request === '' ? "end('', 0)" : `socket.write(${JSON.stringify(request)})`})
    socket.on('data', data => {
      heard += data.toString('latin1')
      if (heard.includes('\\n')) end(heard.split(/\\r?\\n/)[0], 0)
    })`
  const { status, stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
  if (status !== 0)
    throw new SystemFailure(stdout, `connect '${'path' in endpoint ? endpoint.path : endpoint.address}'`)
  return stdout
}

/** spawnSync cannot be left: started in the background, where a shell leaves the exit status in a file. */
function runWhileWanted(argv: readonly string[], interrupted: () => boolean): Ran {
  const directory = fs.mkdtempSync(join(tmpdir(), 'node-machine-'))
  const [out, err] = ['out', 'err'].map(name => fs.openSync(join(directory, name), 'w+')) as [number, number]
  const status = join(directory, 'status')
  try {
    const script = ['-c', '"$@"; echo $? >"$0".new; mv "$0".new "$0"', status, ...argv]
    const child = spawn('sh', script, { stdio: ['ignore', out, err], detached: true })
    const wanted = () => !interrupted()
    while (!fs.existsSync(status) && wanted())
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20)
    const code = fs.existsSync(status) ? Number(fs.readFileSync(status, 'utf8')) : null
    if (code === null) process.kill(-child.pid!, 'SIGKILL')
    return { code, stdout: lastOf(out), stderr: lastOf(err) }
  } finally {
    fs.closeSync(out)
    fs.closeSync(err)
    fs.rmSync(directory, { recursive: true, force: true })
  }
}

function lastOf(fd: number): string {
  const { size } = fs.fstatSync(fd)
  const bytes = Buffer.alloc(Math.min(size, KEPT))
  fs.readSync(fd, bytes, 0, bytes.length, size - bytes.length)
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}

/**
 * A real flock(2), which Node lacks: flock(1) takes it on the descriptor that it inherits, and the lock belongs to
 * the open file, which stays ours. undefined when somebody else has it.
 */
function take(path: string): number | undefined {
  const fd = open(path)
  const { status, error } = spawnSync('flock', ['-xn', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] })
  if (error) throw error
  if (status === 0) return fd
  fs.closeSync(fd)
  return undefined
}

function open(path: string): number {
  return call(() => fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600))
}
