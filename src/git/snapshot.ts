/** The config tree of a cluster at one moment, from disk or from a commit: a git tree for each host. */
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Fatal, NoDirectory, NoRevision } from '../errors.ts'
import type { DeploymentId } from '../plan/deployment-id.ts'
import { order } from '../plan/host-state.ts'
import { type ClusterName, must, type Oid, oid } from '../plan/names.ts'
import type { Problem } from '../plan/problem.ts'
import { captureCluster } from './capture.ts'
import { type ClusterTree, type HostTree, readClusterTree } from './cluster-tree.ts'
import type { Config } from './config.ts'
import { GitError, git, type Repository } from './git.ts'
import { refusal } from './layout.ts'
import { indexModes } from './modes.ts'
import type { ObjectReader } from './objects.ts'
import { loadStatCache, saveStatCache } from './stat-cache.ts'
import { writeTrees } from './tree-object.ts'
import { type Underway, underway } from './underway.ts'
import { unmergedFiles } from './unmerged.ts'
import { unwritable } from './unwritable.ts'

export interface Snapshot {
  /** By name. The trees hold apps only: no hidden entries, no plain files beside the apps. */
  readonly hosts: readonly HostTree[]
  /** Their paths are below the cluster's directory, and what they name is left out of the trees. */
  readonly problems: readonly Problem[]
  readonly source: Source
}

export type Source =
  | {
      readonly kind: 'worktree'
      readonly commit: Oid | null
      readonly branch: string | null
      /** Whether what would be deployed differs from what `commit` has. */
      readonly dirty: boolean
      /** Only where git is in the middle of something. */
      readonly during?: Underway
    }
  | { readonly kind: 'revision'; readonly rev: string; readonly commit: Oid }
  /** What ran there before: `recorded` is what was said then of where it came from. */
  | { readonly kind: 'rollback'; readonly recorded: string; readonly undoes: Undoes | null }
  /** What is deployed already, deployed once more. */
  | { readonly kind: 'recorded' }

/** The one deployment that a rollback takes back. */
export interface Undoes {
  readonly deployment: DeploymentId
  readonly by: string
}

/** What git's configuration says about the files on disk. */
type Disk = Pick<Config, 'fileMode' | 'attributesFile'>

/**
 * The cluster in the directory `dir` (absolute), as it is on disk: ignored files included, byte for byte. Its objects
 * are in the repository afterwards; one that is missing all the same was collected by `git gc` while only our stat
 * cache knew it, and then `forgetIndex` and another snapshot bring it back.
 */
export async function snapshotWorktree(
  repo: Repository,
  cluster: ClusterName,
  dir: string,
  reader: ObjectReader,
  { fileMode, attributesFile }: Disk = { fileMode: true, attributesFile: null },
): Promise<Snapshot> {
  if (!existsSync(dir)) throw noDirectory(`cannot read '${dir}': there is no such directory`)
  const { head } = repo
  const tree = clusterTree(repo, dir)
  const modes = fileMode ? null : await indexModes(repo, dir)
  const cache = loadStatCache(repo, cluster, { fileMode, now: repo.now().getTime() })
  const known = [...cache.hosts].map(([host, { tree }]) => ({ host, tree }))
  const [committed, branch, unmerged, { hosts, problems, cached }] = await Promise.all([
    // Git works on what it was asked while we read the directory, so its questions come first.
    tree !== null && tree === cache.committed ? known : committedHosts(repo, reader, tree, known),
    currentBranch(repo),
    unmergedFiles(repo),
    captureCluster(repo, dir, { known: cache.hosts, modes, attributesFile }),
  ])
  const during = underway(repo)
  const dirty = head === null || !sameHosts(hosts, committed)
  if (dirty) await refuseSparse(repo, dir)
  const now = { ...cache, committed: dirty ? null : tree, hosts: cached }
  if (cached !== cache.hosts || now.committed !== cache.committed) saveStatCache(repo, cluster, now, cache)
  return {
    hosts,
    problems: sorted([...problems, ...inConflict(repo, dir, unmerged)]),
    source: { kind: 'worktree', commit: head?.commit ?? null, branch, dirty, ...(during && { during }) },
  }
}

/** The cluster in the directory `clusterPath` (below the root of the repository) of a commit. */
export async function snapshotRevision(
  repo: Repository,
  rev: string,
  clusterPath: string,
  reader: ObjectReader,
): Promise<Snapshot> {
  const commit = await reader.readTyped(`${rev}^{commit}`)
  if (commit?.type !== 'commit')
    throw new NoRevision(`cannot read revision '${rev}': there is no such commit`, {
      hint: "run 'git log' or 'git branch --all' to see what exists",
    })
  const tree = await reader.readTyped(treeExpression(commit.oid, clusterPath))
  if (tree?.type !== 'tree')
    throw noDirectory(`cannot read '${clusterPath}' in revision '${rev}': there is no such directory`)
  const { hosts, problems, rewritten } = await readCluster(repo, reader, tree.content)
  await writeTrees(repo, rewritten)
  return { hosts, problems: sorted(problems), source: { kind: 'revision', rev, commit: commit.oid } }
}

/** The cluster as it is staged for the next commit. Its source has git's name for the index: `:<path>`. */
export async function snapshotStaged(
  repo: Repository,
  clusterPath: string,
  reader: ObjectReader,
): Promise<Snapshot> {
  const staged = await writeIndex(repo)
  const tree = await reader.readTyped(treeExpression(staged, clusterPath))
  if (tree?.type !== 'tree')
    throw noDirectory(`cannot read '${clusterPath}' in the index: there is no such directory`)
  const { hosts, problems, rewritten } = await readCluster(repo, reader, tree.content)
  await writeTrees(repo, rewritten)
  return { hosts, problems: sorted(problems), source: { kind: 'revision', rev: '', commit: staged } }
}

/** Of the files, those in apps: what is on disk has conflict markers, or one side only. */
function inConflict(repo: Repository, dir: string, unmerged: readonly string[]): Problem[] {
  const prefix = unmerged.length === 0 ? undefined : pathInRepository(repo, dir)
  if (prefix === undefined) return []
  const start = prefix === '' ? '' : `${prefix}/`
  return unmerged.flatMap(path => {
    const file = path.startsWith(start) ? path.slice(start.length) : ''
    if (!/^[^./][^/]*\/[^./][^/]*\/./s.test(file)) return []
    const hint = `resolve the conflict, then run 'git add' on the file; 'git status' lists all such files`
    return [{ ...refusal(file, 'it is unmerged'), hint }]
  })
}

/** What a sparse checkout leaves out is not deleted, and no plan may take it for that. Throws Fatal. */
async function refuseSparse(repo: Repository, dir: string): Promise<void> {
  if (!existsSync(join(repo.gitDir, 'info', 'sparse-checkout'))) return
  const { stdout } = await git(repo, ['ls-files', '-t', '-z'], { cwd: dir })
  const out = stdout
    .toString()
    .split('\0')
    .flatMap(line => /^S ([^/]+\/[^/]+\/.+)$/s.exec(line)?.[1] ?? [])
  if (out.length === 0) return
  const files = out.length === 1 ? `'${out[0]}' is` : `${out.length} of its files are`
  throw new Fatal(`cannot read '${dir}': ${files} not in the sparse checkout`, {
    hint: "run 'git sparse-checkout add <directory>' to check them out, or deploy a revision, which needs no checkout, as in 'git deploy <cluster> HEAD'",
  })
}

async function writeIndex(repo: Repository): Promise<Oid> {
  try {
    return must(oid, (await git(repo, ['write-tree'])).stdout.toString().trimEnd())
  } catch (error) {
    const [, file] = (error instanceof GitError && /^(.+): unmerged \(/m.exec(error.stderr)) || []
    if (file === undefined) throw unwritable(repo.gitDir, error) ?? error
    throw new Fatal(`cannot read the index: '${file}' is unmerged`, { cause: error })
  }
}

function noDirectory(message: string): NoDirectory {
  return new NoDirectory(message, {
    hint: 'the layout of a cluster is <cluster>/<host>/<app>/…',
  })
}

/** The directory as HEAD has it, as an expression of gitrevisions(7); null where it cannot. */
function clusterTree(repo: Repository, dir: string): string | null {
  const path = pathInRepository(repo, dir)
  return repo.head === null || path === undefined ? null : treeExpression(repo.head.tree, path)
}

/** Undefined where no commit could hold the directory: it is outside, perhaps by a symbolic link. */
function pathInRepository({ topLevel }: Repository, dir: string): string | undefined {
  const path = topLevel === null ? '..' : relative(topLevel, realpathSync(dir))
  return path.split('/')[0] === '..' ? undefined : path
}

function treeExpression(rev: string, path: string): string {
  return path === '' ? `${rev}^{tree}` : `${rev}:${path}`
}

async function currentBranch(repo: Repository): Promise<string | null> {
  const [, branch] = /^ref: refs\/heads\/(.+)\n$/.exec(readFileSync(join(repo.gitDir, 'HEAD'), 'utf8')) ?? []
  // With reftables the file is there for show, and names this branch.
  if (branch !== undefined && branch !== '.invalid') return branch
  const { code, stdout } = await git(repo, ['symbolic-ref', '--quiet', '--short', 'HEAD'], {
    okCodes: [0, 1],
  })
  return code === 0 ? stdout.toString().trimEnd() : null
}

async function committedHosts(
  repo: Repository,
  reader: ObjectReader,
  tree: string | null,
  known: readonly HostTree[],
): Promise<readonly HostTree[]> {
  const object = tree === null ? undefined : await reader.readTyped(tree)
  return object?.type === 'tree' ? (await readCluster(repo, reader, object.content, known)).hosts : []
}

function readCluster(
  { format }: Repository,
  reader: ObjectReader,
  raw: Uint8Array,
  known: readonly HostTree[] = [],
): Promise<ClusterTree> {
  return readClusterTree(reader, raw, { format, clean: new Set(known.map(({ tree }) => tree)) })
}

function sameHosts(a: readonly HostTree[], b: readonly HostTree[]): boolean {
  return a.length === b.length && a.every(({ host, tree }, i) => host === b[i]?.host && tree === b[i]?.tree)
}

function sorted(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => order(a.file, b.file))
}
