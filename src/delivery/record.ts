/** The log and the refs after a rollout. Like remote-tracking branches, refs move only for what a host has reported. */
import { addOutcomes, type KnownOutcome, readKnownOutcomes } from '../git/outcomes.ts'
import type { RefChange } from '../git/refs.ts'
import type { HostName } from '../plan/names.ts'
import type { Planned } from '../planning/planned.ts'
import type { Refusal } from '../protocol/messages.ts'
import { endingReason } from '../protocol/reason.ts'
import type { Ends, HostEnd } from '../rollout/events.ts'
import type { Deployment } from './deployment.ts'
import type { RecordedJob } from './jobs.ts'
import { type Move, moveRefs, type Occasion, prepareMoves } from './move-refs.ts'

interface RolloutResult {
  readonly ends: Ends
  /** What `recordAhead` resolved to, unless it failed. */
  readonly ahead: readonly RefChange[] | undefined
  /** How long it took on each host, in milliseconds. */
  readonly took: ReadonlyMap<HostName, number>
  /** By how much this clock is ahead of those of the hosts that answered, in milliseconds. */
  readonly clocks: ReadonlyMap<HostName, number>
}

/**
 * Call it before any host hears of the deployment: if this process is killed, the log says that the outcome is unknown
 * until somebody asks the hosts. The outcome of a saved plan may already be known, from the first time.
 */
export async function recordBegun(deployment: Deployment): Promise<void> {
  const { planned, id, isSaved, operator, at, jobs } = deployment
  const { repo } = planned
  for (const { plan, commit: to, subject } of jobs) {
    const { host, from } = plan
    if (
      isSaved &&
      readKnownOutcomes(repo, host).some(known => known.id === id && known.outcome !== 'refused')
    )
      continue
    const record = { id, from, to, operator, at, ms: 0, subject, outcome: 'unknown', why: NOT_HEARD } as const
    await addOutcomes(repo, host, [record])
  }
}

const NOT_HEARD = 'not reported by the host'

/** A line in the log of every host, then one transaction for the refs of those on which the deployment succeeded. */
export async function record(deployment: Deployment, ended: RolloutResult): Promise<void> {
  const { planned, jobs } = deployment
  const { repo } = planned
  const { ends, ahead } = ended
  // The log first: the next deployment notices if the refs are missing, but nobody would notice a missing log.
  for (const job of jobs) await addOutcomes(repo, job.plan.host, outcomesOf(job, deployment, ended))
  const held = jobs.filter(job => ends.get(job.plan.host)?.kind === 'held')
  if (held.length === 0) return
  await moveRefs(repo, ...movesOf(deployment, held), held.length === jobs.length ? ahead : undefined)
}

/** Prepares, while the hosts work, what `record` does if the deployment succeeds on all of them. */
export async function recordAhead(deployment: Deployment): Promise<readonly RefChange[]> {
  return prepareMoves(deployment.planned.repo, ...movesOf(deployment, deployment.jobs))
}

function movesOf(
  { planned, id }: Deployment,
  held: readonly RecordedJob[],
): [moves: Move[], occasion: Occasion] {
  const { plan, source, back } = planned
  const leaving = new Set(plan.leaving)
  const moves = held.map(({ plan: { host, from, toTree: tree }, commit }): Move => {
    return { host, from, to: leaving.has(host) ? null : { commit, tree } }
  })
  const names = held.map(({ plan }) => plan.host)
  const occasion: Occasion = {
    cluster: plan.cluster,
    source,
    deployment: id,
    subject: `${plan.cluster}: ${back ? 'roll back' : 'deploy to'} ${names.length > 3 ? `${names.length} hosts` : names.join(', ')}`,
    body: names.length > 3 ? names.join('\n') : '',
    message: `deploy ${id}`,
    passing: held.flatMap(({ plan, commit }) => (leaving.has(plan.host) ? [commit] : [])),
  }
  return [[...moves, ...emptied(planned)], occasion]
}

/** Hosts that already have no apps, and are no longer tracked from now on. */
export function emptied({ plan, tracking }: Pick<Planned, 'plan' | 'tracking'>): Move[] {
  const changed = new Set(plan.hosts.map(({ host }) => host))
  return plan.leaving
    .filter(host => !changed.has(host))
    .map(host => ({ host, from: tracking.get(host)?.commit ?? null, to: null }))
}

/** None if a saved plan was refused as spent: its outcome is on record already, under the same id. */
function outcomesOf(
  job: RecordedJob,
  { id, operator, at: here }: Deployment,
  { ends, took, clocks }: RolloutResult,
): KnownOutcome[] {
  const { host, from } = job.plan
  const end = ends.get(host) ?? { kind: 'withdrawn' }
  const ms = Math.round(took.get(host) ?? 0)
  const ending = endingOf(end)
  // As the host tells it to everybody else.
  const at = Math.max(0, here - (clocks.get(host) ?? 0))
  return ending ? [{ id, from, to: job.commit, operator, at, ms, subject: job.subject, ...ending }] : []
}

function endingOf(end: HostEnd): Pick<KnownOutcome, 'outcome' | 'why'> | null {
  switch (end.kind) {
    case 'held':
      return { outcome: 'held', why: '' }
    case 'undone':
      return {
        outcome: end.leftovers.length === 0 ? 'undone' : 'damaged',
        why: endingReason(end.failure.message, end.leftovers),
      }
    case 'unknown':
      return { outcome: 'unknown', why: end.why }
    case 'unreachable':
      return { outcome: 'refused', why: end.message }
    case 'withdrawn':
      return { outcome: 'refused', why: 'withdrawn before it was activated' }
    case 'refused':
      return end.refusal.kind === 'spent' ? null : { outcome: 'refused', why: reasonOf(end.refusal) }
  }
}

function reasonOf(refusal: Exclude<Refusal, { kind: 'spent' }>): string {
  switch (refusal.kind) {
    case 'hostname':
      return `the host calls itself '${refusal.found}'`
    case 'busy':
      return `locked by ${refusal.holder}`
    case 'stale':
      return 'the plan was out of date'
    case 'plan':
      return 'the agent computed a different plan'
    case 'preflight':
      return refusal.problems.map(({ what }) => what).join('; ')
    case 'error':
      return refusal.message
  }
}
