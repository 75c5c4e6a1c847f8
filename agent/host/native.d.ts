/**
 * The agent's C module, agent/host/native/. Only qjs.ts imports it; what fails throws the type given to failWith, also a
 * number that is out of its range.
 */
declare module 'native' {
  function failWith(type: new (code: string, what: string) => Error): void

  /** undefined where there is no such file. */
  function openRead(path: string): number | undefined
  /** Does not follow a link. */
  function openPlain(path: string): number | undefined
  function openNew(path: string, mode: number): number
  /** Fails where anything is, also a link. */
  function openExclusive(path: string, mode: number): number
  function openAppend(path: string, mode: number): number
  /** `size` bytes, fewer only at the end of the file. */
  function read(fd: number, size: number): ArrayBuffer
  function write(fd: number, bytes: Uint8Array): void
  function size(fd: number): number
  function fsync(fd: number): void
  function close(fd: number): void

  function mkdir(path: string, mode: number): void
  function unlink(path: string): boolean
  function rmdir(path: string): boolean
  /** Does not follow a link. */
  function chmod(path: string, mode: number): void
  function lchown(path: string, uid: number, gid: number): void
  function syncPath(path: string): void
  function syncFileSystem(path: string): void
  function symlink(target: string, path: string): void
  function link(existing: string, path: string): void
  function rename(from: string, to: string): void
  function lstat(path: string): Status | undefined
  function readlink(path: string): string | undefined
  /** In no order. */
  function list(path: string): string[] | undefined
  function space(path: string): { bytes: number; inodes: number; readOnly: boolean }

  /** Empty at the end of input; undefined when the time is over or SIGTERM came. */
  function readInput(ms: number): ArrayBuffer | undefined
  function writeOutput(bytes: Uint8Array): boolean

  function now(): number
  function ticks(): number
  function sleep(ms: number): void
  function lock(path: string): boolean
  function terminated(): boolean
  /** '' where it is not set. */
  function getenv(name: string): string
  /** `timeout` in milliseconds, or Infinity. */
  function run(
    argv: readonly string[],
    cwd: string | undefined,
    timeout: number,
    interrupted: (() => boolean) | undefined,
  ): { code: number | null; stdout: string; stderr: string }
  /** The address is an IPv4 or IPv6 address or an absolute path. `timeout` in milliseconds. */
  function probe(address: string, port: number, request: string, timeout: number): string
  function hasher(algorithm: 'sha1' | 'sha256'): { update(bytes: Uint8Array): void; digest(): string }

  interface Status {
    kind: 'file' | 'directory' | 'symlink' | 'other'
    mode: number
    uid: number
    gid: number
    size: number
    mtimeMs: number
  }
}
