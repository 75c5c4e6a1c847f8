/** Which object every file of a cluster was when it was last read, so that an unchanged tree is not read again. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type ClusterName, type HostName, hostName, must, type Oid, oid } from '../plan/names.ts'
import type { Repository } from './git.ts'
import type { ScannedFile, Stamped } from './scan.ts'

export interface StatCache {
  /** When all of it had last been read anew. */
  readonly since: number
  readonly hosts: ReadonlyMap<HostName, CachedHost>
}

export interface CachedHost {
  readonly tree: Oid
  /** The fingerprint of all files; null where a change might not show in it. */
  readonly fingerprint: string | null
  /** Path, stamp and object of every file: JSON that is parsed only where the fingerprint has changed. */
  readonly files: string
}

/**
 * Nothing but this cache may know the objects that it names, and `git gc` collects such objects after two weeks.
 * Reading all files again once a week renews them.
 */
const MAX_AGE_MS = 7 * 24 * 60 * 60 * 1000

/** Empty where there is none, or none that can be used: it only saves time. */
export function loadStatCache(repo: Repository, cluster: ClusterName, now: number): StatCache {
  try {
    const cache = decode(readFileSync(fileOf(repo, cluster), 'utf8'))
    if (now - cache.since < MAX_AGE_MS) return cache
  } catch {
    // Missing or damaged, so all files are read.
  }
  return { since: now, hosts: new Map() }
}

/** Replaces the cache in one step: whoever runs at the same time sees the old or the new one. */
export function saveStatCache(repo: Repository, cluster: ClusterName, cache: StatCache): void {
  const file = fileOf(repo, cluster)
  mkdirSync(dirname(file), { recursive: true })
  // A directory of its own for whoever writes; no cluster's name starts with a dot.
  const draft = mkdtempSync(join(dirname(file), '.draft-'))
  writeFileSync(join(draft, 'cache'), encode(cache))
  renameSync(join(draft, 'cache'), file)
  rmdirSync(draft)
}

/** For a caller that meets a MissingObject: the next snapshot reads every file, and so writes every object, again. */
export function forgetIndex(repo: Repository, cluster: ClusterName): void {
  rmSync(fileOf(repo, cluster), { force: true })
}

export interface HashedFile {
  readonly file: ScannedFile
  readonly oid: Oid
}

/** What to remember of a host that was looked at from `lookedAt` on. */
export function cacheHost(tree: Oid, hashed: readonly HashedFile[], lookedAt: number): CachedHost {
  const settled = hashed.filter(({ file }) => isSettled(file, lookedAt))
  const rows = settled.map(({ file, oid }) => [file.path, stampText(file), oid])
  const all = { paths: hashed.map(({ file }) => file.path), stamps: hashed.flatMap(({ file }) => file.stamp) }
  const fingerprint = settled.length === hashed.length ? fingerprintOf(all) : null
  return { tree, fingerprint, files: JSON.stringify(rows) }
}

/** Changes when any file comes, goes or changes. */
export function fingerprintOf({ paths, stamps }: Stamped): string {
  return createHash('sha1').update(paths.join('\0')).update(new Float64Array(stamps)).digest('hex')
}

/** Finds the object of a file that has not changed since. */
export function cachedFiles(host: CachedHost | undefined): (file: ScannedFile) => Oid | undefined {
  const rows: unknown = host ? JSON.parse(host.files) : []
  const known = new Map(
    Array.isArray(rows) ? rows.map(([path, stamp, oid]) => [`${path}\0${stamp}`, oid]) : [],
  )
  return file => oid(String(known.get(`${file.path}\0${stampText(file)}`)))
}

function stampText({ stamp }: ScannedFile): string {
  return stamp.join(' ')
}

/**
 * Whether a change after `lookedAt` is sure to show in the stamp. A file that had just been changed may change again
 * within one tick of the file system's clock: 4 or 10 ms on Linux, up to 2 s where the times have no fractions.
 */
function isSettled({ stamp: [, , , , ctime] }: ScannedFile, lookedAt: number): boolean {
  return lookedAt - ctime > (ctime % 1000 === 0 ? 2000 : 20)
}

function fileOf(repo: Repository, cluster: ClusterName): string {
  return join(repo.gitDir, 'deptool', 'stat', cluster)
}

const MAGIC = 'deptool-stat-1'

/** A line for each host, so that most of them need not be parsed. */
function encode({ since, hosts }: StatCache): string {
  const lines = [...hosts].map(([host, { tree, fingerprint, files }]) => [
    host,
    tree,
    fingerprint ?? '-',
    files,
  ])
  return [[MAGIC, since], ...lines].map(line => `${line.join(' ')}\n`).join('')
}

/** Throws where the text is not what `encode` makes. */
function decode(text: string): StatCache {
  const [head = '', ...lines] = text.split('\n')
  const [magic, since] = head.split(' ')
  if (magic !== MAGIC || lines.pop() !== '') throw new Error('not a whole stat cache')
  return { since: Number(since), hosts: new Map(lines.map(decodeHost)) }
}

function decodeHost(line: string): [HostName, CachedHost] {
  const [, host = '', tree = '', fingerprint = '', files = ''] =
    /^(\S+) (\S+) (\S+) (\[.*\])$/.exec(line) ?? []
  return [must(hostName, host), { tree: must(oid, tree), fingerprint, files }]
}
