/** Brings the files of a cluster's directory into the repository, byte for byte, reading only those that changed. */
import { accessSync, closeSync, constants, openSync, readlinkSync, readSync, realpathSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import type { HostName, Oid } from '../plan/names.ts'
import type { Problem } from '../plan/problem.ts'
import type { FileMode } from '../plan/tree.ts'
import {
  ATTRIBUTES,
  attributesAbove,
  filtersOnDisk,
  isStoredForm,
  LONGEST_START,
  nameFilter,
  ownAttributes,
  readAttributes,
} from './attributes.ts'
import type { HostTree } from './cluster-tree.ts'
import type { Repository } from './git.ts'
import { refusal } from './layout.ts'
import {
  filesOf,
  isUnchanged,
  listHosts,
  type ScannedFile,
  type ScannedHost,
  scanHost,
  unreadable,
} from './scan.ts'
import { type CachedHost, cachedFiles, cacheHost, stampedOf } from './stat-cache.ts'
import { type Tree, treesOf, writeTrees } from './tree-object.ts'
import { writeFiles, writeObjects } from './write-objects.ts'
import { prepareToName } from './written.ts'

interface Capture {
  /** By name. */
  readonly hosts: readonly HostTree[]
  /** Their paths are below the cluster's directory. */
  readonly problems: readonly Problem[]
  /** To be remembered, where it is not what was `known`. */
  readonly cached: ReadonlyMap<HostName, CachedHost>
}

interface Known {
  /** The hosts as they were remembered. */
  readonly known: ReadonlyMap<HostName, CachedHost>
  /** Those of files, by path below `dir`; null where the disk has them. */
  readonly modes: ReadonlyMap<string, FileMode> | null
  /** As in Config. */
  readonly attributesFile: string | null
}

/** An unchanged directory costs no git process at all. */
export async function captureCluster(
  repo: Repository,
  dir: string,
  { known, modes, attributesFile }: Known,
): Promise<Capture> {
  const now = repo.now().getTime()
  const misplaced: Problem[] = []
  const drafts = listHosts(dir, misplaced).map(host =>
    draftHost(dir, host, { cached: known.get(host), modes }),
  )
  const changed = drafts.flatMap(draft => (draft.kind === 'changed' ? draft.files : []))
  const scanned = drafts.flatMap(draft => (draft.kind === 'changed' ? draft.scanned.problems : []))
  const writing = writeChanged(repo, { dir, attributesFile }, changed)
  if (changed.length > 0) prepareToName()
  const { oids, problems } = await writing
  const hosts = drafts.map(draft => finishHost(draft, oids, { format: repo.format, now }))
  await writeTrees(
    repo,
    hosts.flatMap(({ trees }) => trees),
  )
  const isKnown = hosts.length === known.size && drafts.every(({ kind }) => kind === 'unchanged')
  return {
    hosts: hosts.map(({ host, cached }) => ({ host, tree: cached.tree })),
    problems: [...misplaced, ...scanned, ...problems],
    cached: isKnown ? known : new Map(hosts.map(({ host, cached }) => [host, cached])),
  }
}

type Draft =
  | { readonly kind: 'unchanged'; readonly host: HostName; readonly cached: CachedHost }
  | {
      readonly kind: 'changed'
      readonly host: HostName
      readonly scanned: ScannedHost
      readonly files: readonly DraftFile[]
    }

interface DraftFile {
  readonly host: HostName
  readonly file: ScannedFile
  /** Undefined where the file has to be read. */
  readonly oid: Oid | undefined
}

function draftHost(
  dir: string,
  host: HostName,
  { cached, modes }: Pick<Known, 'modes'> & { readonly cached: CachedHost | undefined },
): Draft {
  // What the index says of a file may change without the file.
  if (!modes && cached && isUnchanged(`${dir}/${host}`, stampedOf(cached)))
    return { kind: 'unchanged', host, cached }
  const known = cachedFiles(cached)
  const scanned = scanHost(dir, host)
  const files = filesOf(scanned).map(found => {
    const listed = found.mode === '120000' ? undefined : modes
    const file = listed ? { ...found, mode: listed.get(`${host}/${found.path}`) ?? '100644' } : found
    return { host, file, oid: known(found) }
  })
  return { kind: 'changed', host, scanned, files }
}

/** The names of the changed files' blobs. A file that cannot be read has none. */
async function writeChanged(
  repo: Repository,
  { dir, attributesFile }: Pick<Known, 'attributesFile'> & { readonly dir: string },
  drafts: readonly DraftFile[],
) {
  const problems: Problem[] = []
  const regular = new Map<ScannedFile, string>()
  const links = new Map<ScannedFile, Buffer>()
  for (const { host, file, oid } of drafts) {
    if (oid !== undefined) continue
    const path = `${dir}/${host}/${file.path}`
    try {
      if (file.mode === '120000') links.set(file, readlinkSync(path, 'buffer'))
      else {
        accessSync(path, constants.R_OK)
        regular.set(file, path)
      }
    } catch (error) {
      problems.push(unreadable(`${host}/${file.path}`, error))
    }
  }
  for (const { host, file, filter } of await storedForms(repo, { dir, attributesFile }, drafts)) {
    regular.delete(file)
    problems.push({
      ...refusal(
        `${host}/${file.path}`,
        `the filter '${filter}' has not run, so it is not what it stands for`,
      ),
      hint: `run the filter, as in 'git lfs pull' or 'git-crypt unlock'`,
    })
  }
  const [regularOids, linkOids] = await Promise.all([
    writeFiles(repo, [...regular.values()]),
    writeObjects(repo, 'blob', [...links.values()]),
  ])
  return { oids: new Map([...zip(regular.keys(), regularOids), ...zip(links.keys(), linkOids)]), problems }
}

/** The files to be read that are on disk as a filter has stored them. */
async function storedForms(
  repo: Repository,
  { dir, attributesFile }: Pick<Known, 'attributesFile'> & { readonly dir: string },
  drafts: readonly DraftFile[],
): Promise<(DraftFile & { readonly filter: string })[]> {
  const { topLevel } = repo
  const below = topLevel === null ? '..' : relative(topLevel, realpathSync(dir))
  if (drafts.length === 0 || topLevel === null || below.startsWith('..')) return []
  const hosts = [...new Set(drafts.map(({ host }) => host))]
  const inHosts = drafts.filter(({ file }) => basename(file.path) === ATTRIBUTES)
  const attributes = [
    ...ownAttributes(repo, attributesFile),
    ...attributesAbove(topLevel, below),
    ...hosts.flatMap(host => readAttributes(`${dir}/${host}`)),
    ...inHosts.flatMap(({ host, file }) => readAttributes(dirname(`${dir}/${host}/${file.path}`))),
  ]
  if (!nameFilter(attributes)) return []
  const suspects = drafts.filter(({ host, file, oid }) => {
    return oid === undefined && file.mode !== '120000' && isStoredForm(headOf(`${dir}/${host}/${file.path}`))
  })
  if (suspects.length === 0) return []
  const pathOf = ({ host, file }: DraftFile) => join(below, host, file.path)
  const filters = await filtersOnDisk(repo, suspects.map(pathOf))
  return suspects.flatMap(one => {
    const filter = filters.get(pathOf(one))
    return filter === undefined ? [] : [{ ...one, filter }]
  })
}

function headOf(path: string): Buffer {
  const head = Buffer.alloc(LONGEST_START)
  try {
    const fd = openSync(path, 'r')
    try {
      return head.subarray(0, readSync(fd, head, 0, head.length, 0))
    } finally {
      closeSync(fd)
    }
  } catch {
    // That it cannot be read is a problem of its own.
    return head.subarray(0, 0)
  }
}

function zip<A, B>(keys: Iterable<A>, values: readonly B[]): [A, B][] {
  return [...keys].map((key, i) => [key, values[i]!])
}

interface FinishedHost {
  readonly host: HostName
  readonly cached: CachedHost
  /** To be written. */
  readonly trees: readonly Tree[]
}

function finishHost(
  draft: Draft,
  oids: ReadonlyMap<ScannedFile, Oid>,
  { format, now }: { format: Repository['format']; now: number },
): FinishedHost {
  const { host } = draft
  if (draft.kind === 'unchanged') return { host, cached: draft.cached, trees: [] }
  const files = draft.files.flatMap(({ file, oid = oids.get(file) }) => (oid ? [{ ...file, oid }] : []))
  const trees = treesOf(files, format)
  const known = new Map(files.map(({ path, oid }) => [path, oid]))
  return { host, cached: cacheHost(trees.at(-1)!.oid, draft.scanned, { oids: known, lookedAt: now }), trees }
}
