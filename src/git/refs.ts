/** The refs of this tool: what each host is known to run, and the history of the fleet. */
import { Fatal } from '../errors.ts'
import { type ClusterName, clusterName, type HostName, hostName, must, type Oid, oid } from '../plan/names.ts'
import { GitError, git, type Repository } from './git.ts'

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
}

const TRACKING_FORMAT = [
  '%(refname)',
  '%(objectname)',
  '%(tree)',
  '%(contents:trailers:key=Deptool-Cluster,valueonly,separator=%x00)',
].join('%00')

export async function readTracking(repo: Repository): Promise<Map<HostName, Tracked>> {
  const { stdout } = await git(repo, ['for-each-ref', `--format=${TRACKING_FORMAT}`, 'refs/deptool/'])
  const lines = stdout.toString().split('\n').filter(Boolean)
  return new Map(lines.flatMap(parseTracked).map(tracked => [tracked.host, tracked]))
}

function parseTracked(line: string): Tracked[] {
  const [ref = '', commit = '', tree = '', cluster = ''] = line.split('\0')
  const host = hostName(ref.slice('refs/deptool/'.length))
  // Somebody else's, in a directory below.
  if (host === undefined) return []
  if (tree === '')
    throw new Fatal(`cannot read '${ref}': it does not name a commit`, {
      hint: `git deploy forget ${host}, then git deploy sync`,
    })
  return [{ host, commit: must(oid, commit), tree: must(oid, tree), cluster: clusterName(cluster) ?? null }]
}

/** The newest commit of the fleet's history; null before the first deployment. */
export async function readFleet(repo: Repository): Promise<Oid | null> {
  const { code, stdout } = await git(repo, ['rev-parse', '--verify', '--quiet', FLEET_REF], {
    okCodes: [0, 1],
  })
  return code === 0 ? must(oid, stdout.toString().trimEnd()) : null
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
  const args = ['update-ref', '--create-reflog', '-m', message, '-z', '--stdin']
  try {
    await git(repo, args, { input })
  } catch (error) {
    throw error instanceof GitError ? (movedMeanwhile(error) ?? error) : error
  }
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
    hint: 'somebody else works in this repository; plan again',
    cause: error,
  })
}
