/**
 * The agent's C module, agent/host/native/. Only qjs.ts imports it; what fails throws the type given to failWith, also a
 * number that is out of its range.
 */
declare module 'native' {
  function failWith(type: new (code: string, what: string) => Error): void

  /** In the place of an open directory, for absolute paths. */
  const NOWHERE: number

  /** undefined where there is no such file. */
  function openRead(at: number, path: string): number | undefined
  /** Does not follow a link. */
  function openPlain(at: number, path: string): number | undefined
  /** Does not follow a link: undefined where there is one. */
  function openDirectory(at: number, path: string): number | undefined
  function openNew(at: number, path: string, mode: number): number
  /** Fails where anything is, also a link. */
  function openExclusive(at: number, path: string, mode: number): number
  function openAppend(at: number, path: string, mode: number): number
  /** `size` bytes, fewer only at the end of the file. */
  function read(fd: number, size: number): ArrayBuffer
  function write(fd: number, bytes: Uint8Array): void
  function status(fd: number): Status
  function fchmod(fd: number, mode: number): void
  function fchown(fd: number, uid: number, gid: number): void
  function fsync(fd: number): void
  function syncfs(fd: number): void
  function close(fd: number): void

  function mkdir(at: number, path: string, mode: number): void
  function unlink(at: number, path: string): boolean
  function rmdir(at: number, path: string): boolean
  /** Does not follow a link. */
  function chmod(at: number, path: string, mode: number): void
  function lchown(at: number, path: string, uid: number, gid: number): void
  function symlink(at: number, target: string, path: string): void
  function link(at: number, existing: string, path: string): void
  function rename(at: number, from: string, to: string): void
  function lstat(at: number, path: string): Status | undefined
  function readlink(at: number, path: string): string | undefined
  /** In no order. */
  function list(path: string): string[] | undefined
  function space(path: string): { bytes: number; inodes: number; readOnly: boolean }
  function user(): { uid: number; gid: number }

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
    identity: string
  }
}
