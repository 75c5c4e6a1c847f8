/** The refs of this tool: what each host is known to run, and the history of the fleet. */
import { Fatal } from '../errors.ts'
import { type ClusterName, clusterName, type HostName, hostName, must, type Oid, oid } from '../plan/names.ts'
import { GitError, git, PLAIN_LOG, type Place, type Repository } from './git.ts'
import { TRAILERS, trailerFormat } from './trailers.ts'

/** `refs/deptool` is a directory of refs, and git finds this one by that name: see gitrevisions(7), refs/<refname>. */
export const FLEET_REF = 'refs/refs/deptool'

export function trackingRef(host: HostName): string {
  return `refs/deptool/${host}`
}

/** What a host is known to run. */
export interface Tracked {
  readonly host: HostName
  readonly commit: Oid
  readonly tree: Oid
  /** Null where the commit does not say. */
  readonly cluster: ClusterName | null
  /** What the commit says its files came from: see HostCommit. */
  readonly source: string
}

const TRACKING_FORMAT = [
  '%(refname)',
  '%(objectname)',
  '%(tree)',
  // One field for both, since older versions of git print one of two twice; and a NUL would end it.
  `%(contents:trailers:key=${TRAILERS.cluster},key=${TRAILERS.source},separator=%x09)`,
].join('%00')

/** Throws Fatal for a ref that names no commit. */
export async function readTracking(place: Place): Promise<Map<HostName, Tracked>> {
  const lines = await forEachRef(place, [`--format=${TRACKING_FORMAT}`, 'refs/deptool/'])
  return new Map(lines.flatMap(parseTracked).map(tracked => [tracked.host, tracked]))
}

function parseTracked(line: string): Tracked[] {
  const [ref = '', commit = '', tree = '', said = ''] = line.split('\0')
  const host = hostName(ref.slice('refs/deptool/'.length))
  // Somebody else's, in a directory below.
  if (host === undefined) return []
  if (tree === '')
    throw new Fatal(`cannot read '${ref}': it does not name a commit`, {
      hint: `run 'git deploy forget ${host}', then 'git deploy sync'`,
    })
  const trailers = said.split('\t')
  const trailer = (key: string) =>
    trailers.find(text => text.startsWith(`${key}: `))?.slice(key.length + 2) ?? ''
  return [
    {
      ...{ host, commit: must(oid, commit), tree: must(oid, tree), source: trailer(TRAILERS.source) },
      cluster: clusterName(trailer(TRAILERS.cluster)) ?? null,
    },
  ]
}

export interface Refs {
  /** Where the tracking refs point, whatever that is. */
  readonly hosts: ReadonlyMap<HostName, Oid>
  /** The trees of those that name commits. */
  readonly trees: ReadonlyMap<HostName, Oid>
  /** The newest commit of the fleet's history; null before the first deployment. */
  readonly fleet: { readonly commit: Oid; readonly tree: Oid } | null
}

/** All refs of this tool, as they are while nobody moves them: who does moves the fleet last. */
export async function readRefs(repo: Repository): Promise<Refs> {
  const { stdout } = await git(repo, ['rev-parse', '--verify', '-q', FLEET_REF], { okCodes: [0, 1] })
  const refs = await readRefsOnce(repo)
  return (refs.fleet?.commit ?? '') === stdout.toString().trim() ? refs : readRefs(repo)
}

async function readRefsOnce(repo: Repository): Promise<Refs> {
  const args = ['--format=%(refname) %(objectname) %(tree)', 'refs/deptool/', FLEET_REF]
  const lines = await forEachRef(repo, args)
  const refs = lines.map(line => line.split(' ') as [ref: string, commit: string, tree: string])
  const hosts = refs.flatMap(([ref, commit, tree]) => {
    const host = hostName(ref.slice('refs/deptool/'.length))
    return host && ref !== FLEET_REF ? [{ host, commit: must(oid, commit), tree: oid(tree) }] : []
  })
  const [, commit, tree] = refs.find(([ref]) => ref === FLEET_REF) ?? []
  return {
    hosts: new Map(hosts.map(({ host, commit }) => [host, commit])),
    trees: new Map(hosts.flatMap(({ host, tree }) => (tree ? [[host, tree]] : []))),
    fleet: commit === undefined ? null : { commit: must(oid, commit), tree: must(oid, tree ?? '') },
  }
}

/** Where the tracking refs point, whatever that is. */
export async function readTrackingRefs(repo: Repository): Promise<Map<HostName, Oid>> {
  return refsWith(repo, [])
}

/** The tracking refs whose commits are not in the fleet's history. */
export async function readOutsideFleet(repo: Repository, fleet: Oid): Promise<Map<HostName, Oid>> {
  return refsWith(repo, [`--no-merged=${fleet}`])
}

async function refsWith(repo: Repository, options: readonly string[]): Promise<Map<HostName, Oid>> {
  const lines = await forEachRef(repo, ['--format=%(refname) %(objectname)', ...options, 'refs/deptool/'])
  return new Map(
    lines.flatMap((line): [HostName, Oid][] => {
      const [ref = '', name = ''] = line.split(' ')
      const [host, commit] = [hostName(ref.slice('refs/deptool/'.length)), oid(name)]
      return host && commit ? [[host, commit]] : []
    }),
  )
}

/** The lines that git prints. Throws Fatal for a broken ref: git passes over one, and its host would seem to be new. */
async function forEachRef(place: Place, args: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await git(place, ['for-each-ref', ...args], { okCodes: [0, 128] })
  const [, broken, dangling] = BROKEN.exec(stderr) ?? []
  if (broken !== undefined)
    throw new Fatal(`cannot read '${broken}': it is broken, perhaps after a power cut`, {
      hint: `run 'rm "$(git rev-parse --git-path ${broken})"', then 'git deploy sync'`,
    })
  if (dangling !== undefined)
    throw new Fatal(`cannot read '${dangling}': its commit is not in this repository`, {
      hint: `run 'git update-ref -d ${dangling}', then 'git deploy sync'`,
    })
  if (code !== 0) throw new GitError('for-each-ref', { code, stdout, stderr })
  return stdout.toString().split('\n').filter(Boolean)
}

const BROKEN = /ignoring broken ref (\S+)|missing object \S+ for (\S+)/

export interface Newest {
  readonly commits: ReadonlySet<Oid>
  /** Whether they were deployed from here; a sync may bring several deployments at once, old ones too. */
  readonly isOwn: boolean
}

/** The host commits that the newest deployment, or sync, brought into the fleet's history; none where there is none. */
export async function readNewest(repo: Repository): Promise<Newest> {
  const format = `--format=%P%x00${trailerFormat('deployment')}`
  const newest = ['-1', '--first-parent', '--min-parents=2']
  const { stdout } = await git(repo, ['log', ...newest, ...PLAIN_LOG, format, FLEET_REF], {
    okCodes: [0, 128],
  })
  const [parents = '', deployment = ''] = stdout.toString().trim().split('\0')
  const [, ...hosts] = parents.split(' ')
  return { commits: new Set(hosts.flatMap(name => oid(name) ?? [])), isOwn: deployment.trim() !== '' }
}

export interface RefChange {
  readonly ref: string
  /** Null deletes the ref. */
  readonly to: Oid | null
  /** What it must be now; null: it must not exist. */
  readonly from: Oid | null
}

/** Moves all of the refs or none, with `message` in their reflogs. Throws Fatal where one is not at its `from`. */
export async function updateRefs(
  repo: Repository,
  changes: readonly RefChange[],
  message: string,
): Promise<void> {
  const input = changes.map(updateCommand).join('')
  if (input === '') return
  // Git keeps no reflogs outside of refs/heads and refs/remotes, and none in bare repositories, unless told to.
  const args = ['update-ref', '--no-deref', '--create-reflog', '-m', message, '-z', '--stdin']
  try {
    await git(repo, args, { input })
  } catch (error) {
    throw error instanceof GitError ? (movedMeanwhile(error) ?? error) : error
  }
}

/** Whether another process was at the same refs: read them again, and try again. */
export function isContention(error: unknown): boolean {
  const cause = error instanceof Fatal ? (error.cause ?? error) : error
  return cause instanceof GitError && /cannot lock ref|\.lock': File exists/.test(cause.stderr)
}

function updateCommand({ ref, to, from }: RefChange): string {
  if (to === null) return from === null ? '' : `delete ${ref}\0${from}\0`
  return from === null ? `create ${ref}\0${to}\0` : `update ${ref}\0${to}\0${from}\0`
}

const MOVED =
  /cannot lock ref '([^']+)': (?:is at|reference already exists|unable to resolve|reference is missing)/

function movedMeanwhile(error: GitError): Fatal | undefined {
  const [, ref] = MOVED.exec(error.stderr) ?? []
  if (ref === undefined) return undefined
  return new Fatal(`cannot update '${ref}': it has moved since it was read`, {
    hint: 'another process is working in this repository: run the same command again',
    cause: error,
  })
}
