/** The history that deployments leave behind: a commit for each host, and one for the fleet. */
import { Fatal } from '../errors.ts'
import type { DeploymentId } from '../plan/deployment-id.ts'
import type { ClusterName, HostName, Oid } from '../plan/names.ts'
import { GitError, git, type Repository } from './git.ts'
import type { Source } from './snapshot.ts'
import { TRAILERS } from './trailers.ts'
import { type Entry, makeTree, writeTrees } from './tree-object.ts'
import { writeObjects } from './write-objects.ts'

/** What a commit says about the deployment that it records. */
export interface Account {
  readonly cluster: ClusterName | null
  /** Null where no files were deployed. */
  readonly source: Source | null
  readonly deployment: DeploymentId | null
  readonly subject: string
  readonly body: string
}

interface NewHostCommit extends Account {
  readonly host: HostName
  readonly tree: Oid
  /** What was deployed there before. */
  readonly parent: Oid | null
}

interface NewFleetCommit extends Account {
  /** What every tracked host runs now. */
  readonly hosts: ReadonlyMap<HostName, Oid>
  readonly previous: Oid | null
  /** The host commits that are new. */
  readonly parents: readonly Oid[]
}

/** Writes a commit for each host. No ref moves. */
export async function commitHosts(
  repo: Repository,
  requests: readonly NewHostCommit[],
): Promise<Map<HostName, Oid>> {
  const people = await readPeople(repo)
  const commits = requests.map(request =>
    encodeCommit({
      tree: request.tree,
      parents: request.parent === null ? [] : [request.parent],
      people,
      message: accountOf(request),
    }),
  )
  const oids = await writeObjects(repo, 'commit', commits)
  return new Map(requests.map(({ host }, i) => [host, oids[i]!]))
}

/** Writes the commit that records a deployment for the whole fleet. No ref moves. */
export async function commitFleet(repo: Repository, request: NewFleetCommit): Promise<Oid> {
  const entries = [...request.hosts].map(([name, oid]): Entry => ({ mode: '40000', name, oid }))
  const tree = makeTree(entries, repo.format)
  const people = await readPeople(repo)
  const [previous] = await Promise.all([
    request.previous ?? commitBeginning(repo, people),
    writeTrees(repo, [tree]),
  ])
  const parents = [...new Set([previous, ...request.parents])]
  const commit = encodeCommit({ tree: tree.oid, parents, people, message: accountOf(request) })
  const [oid] = await writeObjects(repo, 'commit', [commit])
  return oid!
}

/** The operator, as `Name <email>`. Throws Fatal where git does not know who that is. */
export async function readOperator(repo: Repository): Promise<string> {
  const { author } = await readPeople(repo)
  return author.slice(0, author.lastIndexOf('>') + 1)
}

/**
 * The fleet before its first deployment, so that the first parent of every deployment is the fleet's state before
 * and never a host's commit: `git log --first-parent` follows the fleet only.
 */
async function commitBeginning(repo: Repository, people: People): Promise<Oid> {
  const tree = makeTree([], repo.format)
  await writeTrees(repo, [tree])
  const commit = encodeCommit({
    tree: tree.oid,
    parents: [],
    people,
    message: 'begin the history of the fleet\n',
  })
  const [oid] = await writeObjects(repo, 'commit', [commit])
  return oid!
}

interface People {
  /** As git writes them into a commit: name, address, time and zone. */
  readonly author: string
  readonly committer: string
}

const known = new WeakMap<Repository, Promise<People>>()

/** Read once: all commits of one command are of one time. */
function readPeople(repo: Repository): Promise<People> {
  const people = known.get(repo) ?? askPeople(repo)
  known.set(repo, people)
  return people
}

async function askPeople(repo: Repository): Promise<People> {
  const [author, committer] = await Promise.all([
    readIdentity(repo, 'GIT_AUTHOR_IDENT'),
    readIdentity(repo, 'GIT_COMMITTER_IDENT'),
  ])
  return { author, committer }
}

async function readIdentity(repo: Repository, variable: string): Promise<string> {
  try {
    return (await git(repo, ['var', variable])).stdout.toString().trimEnd()
  } catch (error) {
    if (!(error instanceof GitError) || error.stderr.includes('invalid date')) throw error
    throw new Fatal('cannot record a deployment: Git does not know who you are', {
      hint: "set your name: git config --global user.name 'Your Name'\nset your address: git config --global user.email you@example.com",
      cause: error,
    })
  }
}

interface Commit {
  readonly tree: Oid
  readonly parents: readonly Oid[]
  readonly people: People
  readonly message: string
}

function encodeCommit({ tree, parents, people, message }: Commit): Uint8Array {
  const header = [
    `tree ${tree}`,
    ...parents.map(parent => `parent ${parent}`),
    `author ${people.author}`,
    `committer ${people.committer}`,
  ]
  return Buffer.from(`${header.join('\n')}\n\n${message}`)
}

function accountOf({ subject, body, cluster, source, deployment }: Account): string {
  const trailers = [
    ...(cluster === null ? [] : [`${TRAILERS.cluster}: ${cluster}`]),
    ...(source === null ? [] : [`${TRAILERS.source}: ${sourceOf(source)}`]),
    ...(deployment === null ? [] : [`${TRAILERS.deployment}: ${deployment}`]),
  ].join('\n')
  const paragraphs = [subject.trim(), body.trim(), trailers].filter(Boolean)
  return `${paragraphs.join('\n\n')}\n`
}

function sourceOf(source: Source): string {
  if (source.kind === 'recorded') return 'repair'
  if (source.kind === 'revision') return source.commit
  if (source.kind === 'rollback') return source.recorded
  if (source.commit === null) return 'none+dirty'
  return source.dirty ? `${source.commit}+dirty` : source.commit
}
