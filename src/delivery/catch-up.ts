/** Learning what hosts run: their histories come into this repository, and its refs follow. */
import { GitError, type Repository } from '../git/git.ts'
import { readCommitsBetween, readHostCommits } from '../git/host-commits.ts'
import { HostHistory } from '../git/host-history.ts'
import { addOutcomes, type KnownOutcome, readKnownOutcomes } from '../git/outcomes.ts'
import { BadHistory, Quarantine } from '../git/quarantine.ts'
import type { Tracked } from '../git/refs.ts'
import type { HostCommit } from '../host-commit.ts'
import { inParallel } from '../in-parallel.ts'
import type { Ended, Heard, News } from '../news.ts'
import type { DeploymentId } from '../plan/deployment-id.ts'
import type { ClusterName, HostName, Oid } from '../plan/names.ts'
import type { InProgress, LoggedDeployment } from '../protocol/messages.ts'
import { type Fetched, fetchHistory } from '../remote/fetch.ts'
import { type Connection, HostError } from '../remote/transport.ts'
import { byHostsClock } from '../terminal/text/clock.ts'
import { type Move, moveRefs } from './move-refs.ts'

interface Asking {
  readonly repo: Repository
  readonly cluster: ClusterName
  readonly tracking: ReadonlyMap<HostName, Tracked>
  readonly parallel: number
  /** Rejects with HostError. */
  connect(host: HostName): Promise<Connection>
}

/** Asks the hosts, and moves the refs of those that answer. Touches no host. */
export async function catchUp(
  hosts: readonly HostName[],
  asking: Asking,
): Promise<ReadonlyMap<HostName, Heard>> {
  const { repo, cluster, parallel } = asking
  const answers = await inParallel(hosts, parallel, host => ask(host, asking))
  const moves = answers.flatMap(({ host, news }) => moveOf(host, news))
  const names = moves.map(({ host }) => host)
  await moveRefs(repo, moves, {
    cluster,
    source: null,
    deployment: null,
    subject: `${cluster}: sync${names.length === 0 ? '' : ` ${names.length > 3 ? `${names.length} hosts` : names.join(', ')}`}`,
    body: names.length > 3 ? names.join('\n') : '',
    message: 'sync',
  })
  const heard = new Map<HostName, Heard>()
  for (const { host, news, log, open, inProgress, aheadMs } of answers) {
    const ended = log ? await keepLog(repo, host, log, open) : []
    heard.set(host, { news, inProgress, aheadMs, ended })
  }
  return heard
}

interface Answer {
  readonly host: HostName
  readonly news: News
  /** Null if the host gave no answer. */
  readonly log: readonly LoggedDeployment[] | null
  /** Deployments that began on the host, but of which its log has no outcome that can be read. */
  readonly open: readonly DeploymentId[]
  readonly inProgress: InProgress | null
  readonly aheadMs: number | null
}

async function ask(host: HostName, { repo, tracking, connect }: Asking): Promise<Answer> {
  const have = tracking.get(host)?.commit ?? null
  const quarantine = Quarantine.open(repo)
  let connection: Connection | undefined
  try {
    connection = await connect(host)
    const fetched = await fetchHistory(connection, { have, receive: objects => quarantine.receive(objects) })
    const { log, unread, inProgress, aheadMs } = fetched
    const news = await understand(repo, quarantine, { host, have }, fetched)
    const open = inProgress?.id ? [...unread, inProgress.id] : unread
    return { host, news, log, open, inProgress, aheadMs }
  } catch (error) {
    if (!(error instanceof HostError || error instanceof BadHistory)) throw error
    const message =
      error instanceof BadHistory ? `cannot accept the host's history: ${error.message}` : error.message
    const news = { kind: 'failed', message, hint: error.hint ?? null } as const
    return { host, news, log: null, open: [], inProgress: null, aheadMs: null }
  } finally {
    connection?.close()
    await quarantine.discard()
  }
}

async function understand(
  repo: Repository,
  quarantine: Quarantine,
  { host, have }: { readonly host: HostName; readonly have: Oid | null },
  { current, log }: Fetched,
): Promise<News> {
  if (current === null)
    return have === null ? { kind: 'unchanged', at: null } : { kind: 'reprovisioned', from: have }
  if (current === have) return { kind: 'unchanged', at: current }
  if (current.length !== (repo.format === 'sha256' ? 64 : 40))
    throw new BadHistory(`its object format is not that of this repository, ${repo.format}`, {
      hint: 'use a clone of the repository that deployed to the host',
    })
  await quarantine.admit(current, have, new HostHistory(repo, host, have))
  const commits = await commitsBetween(repo, have, current)
  const tip = commits[0] ?? (await readHostCommits(repo, [current])).get(current)
  if (tip === undefined) throw new BadHistory(`commit ${current} is missing`)
  const oldest = commits.at(-1)
  const kind = have === null ? 'new' : oldest?.parents[0] === have ? 'moved' : 'rewound'
  const began = new Map(log.flatMap(({ to, outcome, at }) => (outcome === 'held' ? [[to, at]] : [])))
  const dated = commits.map(commit => byHostsClock(commit, began.get(commit.commit), repo.now()))
  return { kind, from: have, to: current, tree: tip.tree, commits: dated }
}

/** Throws BadHistory if they are not a chain: every agent makes one. */
async function commitsBetween(repo: Repository, from: Oid | null, to: Oid): Promise<HostCommit[]> {
  const commits = await readCommitsBetween(repo, from, to).catch(error => {
    throw error instanceof GitError ? new BadHistory(error.message, { cause: error }) : error
  })
  commits.forEach(({ commit, parents }, i) => {
    const next = commits[i + 1]
    if (parents.length > 1 || (next !== undefined && parents[0] !== next.commit))
      throw new BadHistory(`commit ${commit} does not follow the one before it`)
  })
  return commits
}

function moveOf(host: HostName, news: News): Move[] {
  switch (news.kind) {
    case 'unchanged':
    case 'failed':
      return []
    case 'reprovisioned':
      return [{ host, from: news.from, to: null }]
    default:
      return [{ host, from: news.from, to: { commit: news.to, tree: news.tree } }]
  }
}

/** Takes over what the host has on record. Returns the deployments whose outcome this repository did not know. */
async function keepLog(
  repo: Repository,
  host: HostName,
  log: readonly LoggedDeployment[],
  open: readonly DeploymentId[],
): Promise<Ended[]> {
  const known = new Map(readKnownOutcomes(repo, host).map(record => [record.id, record]))
  const unknown = [...known.values()].filter(({ outcome }) => outcome === 'unknown')
  const news = log.filter(({ id, outcome }) => known.get(id)?.outcome !== outcome)
  const said = await readHostCommits(
    repo,
    news.map(({ to }) => to),
  )
  const learnt: KnownOutcome[] = [
    ...news.map(record => ({ ...record, subject: record.subject ?? said.get(record.to)?.subject ?? null })),
    ...unknown
      .filter(one => !open.includes(one.id) && neverBegan(one, log))
      .map(record => ({ ...record, outcome: 'refused' as const, why: 'it never started on the host' })),
  ]
  await addOutcomes(repo, host, learnt)
  return learnt.filter(({ id }) => known.get(id)?.outcome === 'unknown')
}

/** The host has no record of it, and has forgotten none since it came to run what the deployment began at. */
function neverBegan({ id, from }: KnownOutcome, log: readonly LoggedDeployment[]): boolean {
  const isRemembered =
    log.length === 0 ||
    log[0]!.from === null ||
    log.some(({ to, outcome }) => to === from && outcome === 'held')
  return isRemembered && !log.some(record => record.id === id)
}
