/** Which object every file of a cluster was when it was last read, so that an unchanged tree is not read again. */
import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { type ClusterName, type HostName, hostName, must, type Oid, oid } from '../plan/names.ts'
import type { Repository } from './git.ts'
import { ownDirectory } from './own-directory.ts'
import { isDirectory, type ScannedFile, type ScannedHost, type Stamp, type Stamped, stampAt } from './scan.ts'
import { removeLeft } from './temporary.ts'

interface StatCache {
  /** Whether its trees have the modes that the disk has. */
  readonly fileMode: boolean
  /** When all of it had last been read anew. */
  readonly since: number
  /** A tree object, or path in one, that has the very same hosts; null where none is known. */
  readonly committed: string | null
  readonly hosts: ReadonlyMap<HostName, CachedHost>
  /** How many there are in the file: of a host that has several the last one holds. */
  readonly lines: number
}

/** Text as it is in the file: of most hosts, all that is needed is whether they have changed. */
export interface CachedHost {
  readonly tree: Oid
  /** The object of each path, none for a directory. */
  readonly oids: string
  /** In base64. Not a number where a change might not show in the stamp: such a one equals no other. */
  readonly stamps: string
  readonly paths: string
}

/**
 * Nothing but this cache may know the objects that it names, and `git gc` collects such objects after two weeks.
 * Reading all files again once a week renews them.
 */
const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000

/** Empty where there is none, or none that can be used: it only saves time. */
export function loadStatCache(
  repo: Repository,
  cluster: ClusterName,
  { fileMode, now }: { readonly fileMode: boolean; readonly now: number },
): StatCache {
  try {
    const cache = decode(readFileSync(fileOf(repo, cluster), 'utf8'))
    // A clock that was ahead has written a time that is yet to come.
    const isYoung = cache.since <= now && now - cache.since < MAX_AGE_MS
    if (isYoung && cache.fileMode === fileMode) return cache
  } catch {
    // Missing or damaged, so all files are read.
  }
  return { fileMode, since: now, committed: null, hosts: new Map(), lines: 0 }
}

/** `was`: the cache that was loaded. Whoever runs at the same time sees the old one, or the new one. */
export function saveStatCache(
  repo: Repository,
  cluster: ClusterName,
  cache: Omit<StatCache, 'lines'>,
  was: StatCache,
): void {
  const hosts = [...cache.hosts].filter(([host, cached]) => was.hosts.get(host) !== cached)
  const isSameHosts = was.hosts.size === cache.hosts.size && hosts.every(([host]) => was.hosts.has(host))
  // Two who add at the same time may have seen different files, and then no tree has what both have seen.
  const canAdd = isSameHosts && cache.committed === null && was.lines < 2 * cache.hosts.size
  try {
    if (canAdd) add(fileOf(repo, cluster), encode({ ...cache, hosts: new Map(hosts) }))
    else replace(repo, cluster, encode(cache))
  } catch {
    // Somebody who may only read the repository can plan all the same; it takes longer.
  }
}

/** In one step. Throws where nobody has made it yet: it would not be whole. */
function add(file: string, text: string): void {
  const fd = openSync(file, constants.O_WRONLY | constants.O_APPEND)
  try {
    writeSync(fd, text)
  } finally {
    closeSync(fd)
  }
}

function replace(repo: Repository, cluster: ClusterName, text: string): void {
  const directory = ownDirectory(repo.gitDir, 'stat')
  removeLeft(directory, '.draft-', repo.now())
  // Whoever writes has a draft of their own; no cluster's name starts with a dot.
  const draft = join(directory, `.draft-${Buffer.from(repo.random(8)).toString('hex')}`)
  writeFileSync(draft, text, { flag: 'wx' })
  renameSync(draft, join(directory, cluster))
}

/** For a caller that meets a LostObject: the next snapshot reads every file, and so writes every object, again. */
export function forgetIndex(repo: Repository, cluster: ClusterName): void {
  rmSync(fileOf(repo, cluster), { force: true })
}

/** What to remember of a host that was looked at from `lookedAt` on. `oids`: the objects of those files that have one. */
export function cacheHost(
  tree: Oid,
  scanned: ScannedHost,
  { oids, lookedAt }: { readonly oids: ReadonlyMap<string, Oid>; readonly lookedAt: number },
): CachedHost {
  const { paths, problems } = scanned
  const trusted = paths.map((path, i) => {
    const stamp = stampAt(scanned, i)
    // Problems are to be told again, so a host that has some, and a file that could not be read, are looked at again.
    const isFine = path === '' ? problems.length === 0 : isDirectory(stamp) || oids.has(path)
    return isFine && isSettled(stamp, lookedAt) ? stamp : NO_STAMP
  })
  return {
    tree,
    oids: paths.map(path => oids.get(path) ?? '').join(),
    stamps: Buffer.from(Float64Array.from(trusted.flat()).buffer).toString('base64'),
    paths: paths.join('\0'),
  }
}

const NO_STAMP: Stamp = [Number.NaN, Number.NaN, Number.NaN, Number.NaN, Number.NaN]

/** All that a host was when it was cached. */
export function stampedOf({ paths, stamps }: CachedHost): Stamped {
  const bytes = Uint8Array.from(Buffer.from(stamps, 'base64'))
  return {
    paths: paths.split('\0'),
    stamps: new Float64Array(bytes.buffer, 0, Math.floor(bytes.length / Float64Array.BYTES_PER_ELEMENT)),
  }
}

/** Finds the object of a file that has not changed since. */
export function cachedFiles(host: CachedHost | undefined): (file: ScannedFile) => Oid | undefined {
  if (!host) return () => undefined
  const stamped = stampedOf(host)
  const oids = host.oids.split(',')
  const known = new Map(stamped.paths.map((path, i) => [keyOf(path, stampAt(stamped, i)), oids[i] ?? '']))
  return ({ path, stamp }) => oid(known.get(keyOf(path, stamp)) ?? '')
}

function keyOf(path: string, stamp: Stamp): string {
  return `${path}\0${stamp.join(' ')}`
}

/**
 * Whether a change after `lookedAt` is sure to show in the stamp. What had just been changed may change again
 * within one tick of the file system's clock: 4 or 10 ms on Linux, up to 2 s where the times have no fractions.
 */
function isSettled([, , , , ctime]: Stamp, lookedAt: number): boolean {
  return lookedAt - ctime > (ctime % 1000 === 0 ? 2000 : 20)
}

function fileOf(repo: Repository, cluster: ClusterName): string {
  return join(repo.gitDir, 'deptool', 'stat', cluster)
}

/** No name of a host. */
const MAGIC = 'deptool-stat/3'
/** The same, with the modes of the index. */
const MAGIC_INDEX = 'deptool-stat/3i'

/** A head, and a line for each host: no path that may be deployed holds a control character. */
function encode({ fileMode, since, committed, hosts }: Omit<StatCache, 'lines'>): string {
  const lines = [...hosts].map(([host, { tree, oids, stamps, paths }]) => [host, tree, oids, stamps, paths])
  return [[fileMode ? MAGIC : MAGIC_INDEX, since, committed ?? ''], ...lines]
    .map(line => `${line.join(' ')}\n`)
    .join('')
}

/** Throws where the text is not what `encode` makes, once or several times. */
function decode(text: string): StatCache {
  const lines = text.split('\n')
  if (lines.pop() !== '') throw new Error('not a whole stat cache')
  const magic = lines[0]?.startsWith(`${MAGIC_INDEX} `) ? MAGIC_INDEX : MAGIC
  const isHead = (line: string) => line.startsWith(`${magic} `)
  if (!isHead(lines[0] ?? '')) throw new Error('not a stat cache')
  const [, since, ...committed] = lines.findLast(isHead)!.split(' ')
  const hosts = lines.filter(line => !isHead(line))
  return {
    fileMode: magic === MAGIC,
    since: Number(since),
    committed: committed.join(' ') || null,
    hosts: new Map(hosts.map(decodeHost)),
    lines: hosts.length,
  }
}

function decodeHost(line: string): [HostName, CachedHost] {
  const [host = '', tree = '', oids = '', stamps = ''] = line.split(' ', 4)
  const paths = line.slice(host.length + tree.length + oids.length + stamps.length + 4)
  return [must(hostName, host), { tree: must(oid, tree), oids, stamps, paths }]
}
