/**
 * The system as the agent sees it. Everything the agent does to a host goes through here, and is synchronous: the
 * agent does one thing after the other. QuickJS implements it in qjs.ts, Node in test/support/node-machine.ts.
 *
 * Paths are absolute, as seen on the host; an implementation puts its root before them. Every method that touches
 * the system throws SystemFailure unless its comment names a value for the failure.
 */
export interface Machine {
  /** The directory that stands for `/`: '' on a real host, else an embedded host (`local:`). */
  readonly root: string
  readonly files: Files
  /** As whom the agent runs, geteuid(2). */
  readonly user: { readonly uid: number; readonly gid: number }
  readonly input: Input
  /** Writes all bytes to stdout. Returns false, for good, once nobody reads there any more. */
  write(bytes: Uint8Array): boolean
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds from a clock that nobody sets. */
  ticks(): number
  sleep(ms: number): void
  /** Whether somebody asked the agent to end, SIGTERM. Nothing else comes of it: undo, then return from main. */
  terminated(): boolean
  /** Changes with every boot, /proc/sys/kernel/random/boot_id. */
  bootId(): string
  /** Whether systemd runs this host, sd_booted(3): never with a root of its own. */
  readonly systemd: boolean
  /** Runs a program found in PATH and waits. Never through a shell; stdin is /dev/null. */
  run(argv: readonly string[], options?: RunOptions): Ran
  /**
   * Connects to a service on this host and gives the first line that it answers to `request`, without its end; '' where
   * the request is ''. Fails with ETIMEDOUT after `timeoutMs`.
   */
  probe(endpoint: Endpoint, request: string, timeoutMs: number): string
  hasher(algorithm: 'sha1' | 'sha256'): Hasher
  /**
   * Takes the exclusive flock(2) on a file, which it makes where missing. False when somebody else has it. Held until
   * exit.
   */
  lock(path: string): boolean
}

/** stdin. */
export interface Input {
  /**
   * Some bytes as soon as there are any; 'end' at the end of input; 'timeout' when none came in `ms` (Infinity: wait),
   * or none are there and the agent is terminated().
   */
  read(ms: number): Uint8Array | 'end' | 'timeout'
}

/**
 * What can be done with names, which are paths in Files and single names in a Directory. None of it follows a link at
 * the end of a name. What is made is the agent's own, with the mode that is asked for: what a directory passes on to its
 * files (the set-group-ID bit) does not count.
 */
export interface Names {
  /** lstat(2). undefined where there is nothing. */
  stat(name: string): Stat | undefined
  /** undefined where it is not a symbolic link. */
  readlink(name: string): string | undefined
  /** undefined where there is no directory. Whoever opens one closes it. */
  open(name: string): Directory | undefined
  /**
   * Gives the file in pieces of at most 256 KiB, until it ends or `each` returns false. undefined where there is none,
   * else what it was when it was opened.
   */
  readPieces(name: string, each: (piece: Uint8Array) => unknown): Stat | undefined
  /** Makes a file. Fails with EEXIST where anything is. For directories of other users. */
  createNew(name: string, mode: number): Writer
  /** The parent must exist. An existing directory is left as it is. */
  mkdir(name: string, mode: number): void
  symlink(target: string, name: string): void
  rename(from: string, to: string): void
  /** Removes a file or link. False where there is none. */
  unlink(name: string): boolean
  /** Removes an empty directory. False where it is not empty or not there. */
  rmdir(name: string): boolean
}

/** An open directory: the same one, whatever happens to its name. */
export interface Directory extends Names {
  /** fstat(2) of the directory itself. */
  self(): Stat
  /** fsync(2) of the directory itself. */
  sync(): void
  close(): void
}

/** Absolute paths. Links on the way are followed: for paths of which only root can write a part. */
export interface Files extends Names {
  /** The whole file. undefined where there is none. Fails with EFBIG beyond READ_MAX. */
  read(path: string): Uint8Array | undefined
  /** Opens for writing from the start; an existing file is emptied. */
  create(path: string, mode: number): Writer
  /** Opens for appending, making the file where missing. */
  append(path: string, mode: number): Writer
  /** The names in a directory, sorted, without `.` and `..`. undefined where there is none. */
  list(path: string): string[] | undefined
  /** A second name for the same file, link(2). */
  link(existing: string, path: string): void
  chmod(path: string, mode: number): void
  chown(path: string, uid: number, gid: number): void
  /** fsync(2) of a file or directory. */
  sync(path: string): void
  /** syncfs(2): makes everything durable that was written to the file system of `path`. */
  syncFileSystem(path: string): void
  /** statvfs(3) of the file system at `path`: what an unprivileged writer has left, and whether anybody may write. */
  space(path: string): { readonly bytes: number; readonly inodes: number; readonly readOnly: boolean }
}

/** In bytes. What is read whole may be somebody else's, who makes it as large as he likes. */
export const READ_MAX = 64 * 1024 * 1024

export interface Writer {
  write(bytes: Uint8Array): void
  /** fchown(2) and fchmod(2): gives the file to somebody, whatever has happened to its name. */
  give(to: { readonly uid: number; readonly gid: number; readonly mode: number }): void
  /** fsync(2). */
  sync(): void
  close(): void
}

export interface Stat {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other'
  /** The permission bits, 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  /** Milliseconds since 1970. */
  readonly mtimeMs: number
  /** Device and inode: which file it is, whatever its name, until the next boot. */
  readonly identity: string
  /** Of an open directory: whether an access control list names more users and groups, acl(5). Node does not tell. */
  readonly acl?: boolean
}

/** Where a service listens: an IPv4 or IPv6 address and a port, or a socket in the file system. */
export type Endpoint = { readonly address: string; readonly port: number } | { readonly path: string }

export interface RunOptions {
  /** The working directory. */
  readonly cwd?: string
  /** After this the program is killed, and `code` is null. */
  readonly timeoutMs?: number
  /** Asked now and then while the program runs. Once it says so, the program is killed, and `code` is null. */
  readonly interrupted?: () => boolean
}

export interface Ran {
  /** The exit status; null when a signal or the timeout ended it. */
  readonly code: number | null
  /** stdout and stderr, each at most 64 KiB from its end; bytes that are not UTF-8 become U+FFFD. */
  readonly stdout: string
  readonly stderr: string
}

export interface Hasher {
  update(bytes: Uint8Array): void
  /** In hexadecimal; the hasher is used up. */
  digest(): string
}

/** A system call that failed. */
export class SystemFailure extends Error {
  /** As in errno(3): 'ENOSPC'. */
  readonly code: string
  constructor(code: string, what: string) {
    super(`${what}: ${code}`)
    this.code = code
  }
}
