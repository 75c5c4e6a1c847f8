/** Brings the files of a cluster's directory into the repository, byte for byte, reading only those that changed. */
import { accessSync, constants, readlinkSync } from 'node:fs'
import type { HostName, Oid } from '../plan/names.ts'
import type { Problem } from '../plan/problem.ts'
import type { HostTree } from './cluster-tree.ts'
import type { Repository } from './git.ts'
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

/** An unchanged directory costs no git process at all. `known`: the hosts as they were remembered. */
export async function captureCluster(
  repo: Repository,
  dir: string,
  known: ReadonlyMap<HostName, CachedHost>,
): Promise<Capture> {
  const now = repo.now().getTime()
  const misplaced: Problem[] = []
  const drafts = listHosts(dir, misplaced).map(host => draftHost(dir, host, known.get(host)))
  const changed = drafts.flatMap(draft => (draft.kind === 'changed' ? draft.files : []))
  const scanned = drafts.flatMap(draft => (draft.kind === 'changed' ? draft.scanned.problems : []))
  const writing = writeChanged(repo, dir, changed)
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

function draftHost(dir: string, host: HostName, cached: CachedHost | undefined): Draft {
  if (cached && isUnchanged(`${dir}/${host}`, stampedOf(cached))) return { kind: 'unchanged', host, cached }
  const known = cachedFiles(cached)
  const scanned = scanHost(dir, host)
  const files = filesOf(scanned).map(file => ({ host, file, oid: known(file) }))
  return { kind: 'changed', host, scanned, files }
}

/** The names of the changed files' blobs. A file that cannot be read has none. */
async function writeChanged(repo: Repository, dir: string, drafts: readonly DraftFile[]) {
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
  const [regularOids, linkOids] = await Promise.all([
    writeFiles(repo, [...regular.values()]),
    writeObjects(repo, 'blob', [...links.values()]),
  ])
  return { oids: new Map([...zip(regular.keys(), regularOids), ...zip(links.keys(), linkOids)]), problems }
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
