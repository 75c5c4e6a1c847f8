/** Brings the files of a cluster's directory into the repository, byte for byte, reading only those that changed. */
import { accessSync, constants, readlinkSync } from 'node:fs'
import type { ClusterName, HostName, Oid } from '../plan/names.ts'
import type { Problem } from '../plan/problem.ts'
import type { HostTree } from './cluster-tree.ts'
import type { Repository } from './git.ts'
import { filesOf, type ScannedFile, type ScannedHost, scanCluster, unreadable } from './scan.ts'
import {
  type CachedHost,
  cachedFiles,
  cacheHost,
  fingerprintOf,
  loadStatCache,
  saveStatCache,
} from './stat-cache.ts'
import { type Tree, treesOf, writeTrees } from './tree-object.ts'
import { writeFiles, writeObjects } from './write-objects.ts'

export interface Capture {
  /** By name. */
  readonly hosts: readonly HostTree[]
  /** Their paths are below the cluster's directory. */
  readonly problems: readonly Problem[]
}

/** An unchanged directory costs no git process at all. */
export async function captureCluster(repo: Repository, cluster: ClusterName, dir: string): Promise<Capture> {
  const now = Date.now()
  const scan = scanCluster(dir)
  const cache = loadStatCache(repo, cluster, now)
  const drafts = scan.hosts.map(host => draftHost(host, cache.hosts.get(host.host)))
  const changed = drafts.flatMap(draft => (draft.kind === 'changed' ? draft.files : []))
  const { oids, problems } = await writeChanged(repo, dir, changed)
  const hosts = drafts.map(draft => finishHost(draft, oids, { format: repo.format, now }))
  await writeTrees(
    repo,
    hosts.flatMap(({ trees }) => trees),
  )
  if (hosts.length !== cache.hosts.size || drafts.some(({ kind }) => kind === 'changed'))
    saveStatCache(repo, cluster, { since: cache.since, hosts: new Map(hosts.map(h => [h.host, h.cached])) })
  return {
    hosts: hosts.map(({ host, cached }) => ({ host, tree: cached.tree })),
    problems: [...scan.problems, ...problems],
  }
}

type Draft =
  | { readonly kind: 'unchanged'; readonly host: HostName; readonly cached: CachedHost }
  | { readonly kind: 'changed'; readonly host: HostName; readonly files: readonly DraftFile[] }

interface DraftFile {
  readonly host: HostName
  readonly file: ScannedFile
  /** Undefined where the file has to be read. */
  readonly oid: Oid | undefined
}

function draftHost(scanned: ScannedHost, cached: CachedHost | undefined): Draft {
  const { host } = scanned
  if (cached?.fingerprint === fingerprintOf(scanned)) return { kind: 'unchanged', host, cached }
  const known = cachedFiles(cached)
  return { kind: 'changed', host, files: filesOf(scanned).map(file => ({ host, file, oid: known(file) })) }
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
  const hashed = draft.files.flatMap(({ file, oid = oids.get(file) }) => (oid ? [{ file, oid }] : []))
  const trees = treesOf(
    hashed.map(({ file: { path, mode }, oid }) => ({ path, mode, oid })),
    format,
  )
  return { host, cached: cacheHost(trees.at(-1)!.oid, hashed, now), trees }
}
