/**
 * A rollout: one plan, carried out on all its hosts at once.
 *
 * Invariant: a run that stops early has either changed something that makes the next run different, or told the
 * operator what to do. So nothing is activated anywhere before every host has staged, and no host's end is guessed:
 * where the connection broke, the host is asked again by the deployment's id.
 */

import { inParallel } from './in-parallel.ts'
import type { HostName, Oid } from './plan/names.ts'
import type { HostPlan } from './plan/plan.ts'
import type { DeploymentId, Failure, ObjectChunk, Outcome, Reply, Request } from './protocol/messages.ts'
import { openSession, type Session } from './remote/session.ts'
import { type Connection, HostError } from './remote/transport.ts'
import type { Ends, HostEnd, RolloutEvent } from './rollout-events.ts'

export interface Rollout {
  readonly id: DeploymentId
  readonly operator: string
  readonly jobs: readonly HostJob[]
  /** At most so many hosts are connected to and staged at a time. */
  readonly parallel: number
  /** How long a host waits for its confirmation before it undoes, in milliseconds. */
  readonly confirmMs: number
  /** Whether links may take the place of what differs from them. */
  readonly adopt: boolean
  /** Opens a way to the host; asked again after a lost connection. Rejects with HostError. */
  connect(host: HostName): Promise<Connection>
  /** Aborted when the operator wants it all back. */
  readonly signal: AbortSignal
  emit(event: RolloutEvent): void
  /** Milliseconds from a clock that nobody sets. */
  ticks(): number
}

export interface HostJob {
  readonly plan: HostPlan
  /** The host commit to deploy. */
  readonly commit: Oid
  readonly digest: string
  /** The objects that the host does not have. Asked again where the agent had to be installed first. */
  objects(): AsyncIterable<readonly ObjectChunk[]>
}

/** Carries the plan out and says how it ended on each host. Never rejects for what a host does. */
export async function rollout(run: Rollout): Promise<Ends> {
  const started = run.ticks()
  const hosts = run.jobs.map(job => new HostRun(run, job, started))
  const interrupt = () => {
    for (const host of hosts) host.withdraw('the operator interrupted it')
  }
  run.signal.addEventListener('abort', interrupt)
  try {
    const ready = await inParallel(hosts, run.parallel, host => host.stage())
    if (ready.every(Boolean) && !run.signal.aborted) await Promise.all(hosts.map(host => host.activate()))
    else await Promise.all(hosts.map(host => host.giveUp()))
    return new Map(hosts.map(host => [host.name, host.end ?? { kind: 'withdrawn' }]))
  } finally {
    run.signal.removeEventListener('abort', interrupt)
    for (const host of hosts) host.close()
  }
}

/** The part of a rollout that concerns one host. */
class HostRun {
  readonly name: HostName
  end: HostEnd | undefined
  private readonly run: Rollout
  private readonly job: HostJob
  private readonly started: number
  private connection: Connection | undefined
  private session: Session | undefined

  constructor(run: Rollout, job: HostJob, started: number) {
    this.name = job.plan.host
    this.run = run
    this.job = job
    this.started = started
  }

  /** Connects, locks and stages. Whether the host could now be activated. */
  async stage(): Promise<boolean> {
    try {
      this.emit({ kind: 'connecting' })
      this.connection = await this.run.connect(this.name)
      this.emit({ kind: 'connected' })
      this.session = await openSession(this.connection, { flight: () => this.flight() })
      this.greet(this.session)
      const reply = await this.session.next()
      if (reply.type === 'staged') {
        this.emit({ kind: 'staged', adopted: reply.adopted, notes: reply.notes })
        return true
      }
      // An 'outcome' here answers a withdrawal that came before the host had staged.
      this.finish(reply.type === 'outcome' ? { kind: 'withdrawn' } : this.endFrom(reply))
    } catch (error) {
      this.finish(unreachable(error))
    }
    return false
  }

  /** Withdraws what was staged: the agent leaves everything as it was. */
  async giveUp(): Promise<void> {
    if (this.end) return
    this.withdraw('another host could not be staged')
    try {
      await this.session?.next(GIVE_UP_MS)
    } catch {
      // Nothing was activated, so a host that is gone by now will clear what was staged by itself.
    }
    this.finish({ kind: 'withdrawn' })
  }

  /** Activates, and confirms once everything runs. */
  async activate(): Promise<void> {
    const session = this.session!
    try {
      await session.send({ type: 'activate' })
      for (;;) {
        const reply = await session.next()
        if (reply.type === 'step') this.showStep(reply.index)
        else if (reply.type === 'settled') await this.confirm(session)
        else return this.finish(this.endFrom(reply))
      }
    } catch (error) {
      await this.askAgain(messageOf(error))
    }
  }

  withdraw(why: string): void {
    if (this.end || !this.session) return
    this.emit({ kind: 'withdrawing' })
    void this.session.send({ type: 'undo', id: this.run.id, why })
  }

  close(): void {
    this.session?.close()
    this.connection?.close()
  }

  /** Everything up to staging, in one flight. */
  private async *flight(): AsyncGenerator<Request> {
    const { id, operator, confirmMs, adopt } = this.run
    const { plan, commit, digest } = this.job
    const { host, from } = plan
    const repair = plan.repair ?? null
    yield { type: 'deploy', id, host, operator, from, to: commit, digest, confirmMs, adopt, repair }
    for await (const objects of this.job.objects()) yield { type: 'objects', objects }
    yield { type: 'stage' }
  }

  private greet({ installed, hello }: Session): void {
    if (installed) this.emit({ kind: 'installed' })
    if (hello.recovered) this.emit({ kind: 'recovered', ...hello.recovered })
  }

  private confirm(session: Session): Promise<void> {
    this.emit({ kind: 'confirming' })
    return session.send({ type: 'confirm', id: this.run.id })
  }

  private showStep(index: number): void {
    const step = this.job.plan.steps[index]
    if (step) this.emit({ kind: 'step', step })
  }

  private endFrom(reply: Reply): HostEnd {
    switch (reply.type) {
      case 'undone':
        return { kind: 'undone', failure: reply.failure, leftovers: reply.leftovers }
      case 'refused':
        return { kind: 'refused', refusal: reply.refusal }
      case 'outcome':
        return endOf(reply.outcome, reply.why)
      default:
        return unexpected(reply)
    }
  }

  /** After a lost connection: the agent goes on without us, and a new session tells how it ended. */
  private async askAgain(why: string): Promise<void> {
    this.emit({ kind: 'reconnecting', why })
    const { id, confirmMs, signal, ticks } = this.run
    for (const deadline = ticks() + confirmMs; ticks() < deadline; await pause(RECONNECT_MS)) {
      this.close()
      try {
        this.connection = await this.run.connect(this.name)
        this.session = await openSession(this.connection, {})
        const verdict: Request = signal.aborted
          ? { type: 'undo', id, why: 'the operator interrupted it' }
          : { type: 'confirm', id }
        await this.session.send(verdict)
        return this.finish(this.endFrom(await this.session.next()))
      } catch {
        // The next try; the deadline ends them, and says so.
      }
    }
    this.finish({ kind: 'unknown', why })
  }

  private finish(end: HostEnd): void {
    this.end = end
    this.emit(end)
  }

  private emit(event: DistributiveOmit<RolloutEvent, 'host' | 'ms'>): void {
    this.run.emit({ ...event, host: this.name, ms: this.run.ticks() - this.started } as RolloutEvent)
  }
}

type DistributiveOmit<T, K extends keyof never> = T extends unknown ? Omit<T, K> : never

/** How long a host is waited for that nothing more depends on, in milliseconds. */
const GIVE_UP_MS = 2000
const RECONNECT_MS = 500

function endOf(outcome: Outcome, why: string): HostEnd {
  const failure: Failure = { step: null, message: why, units: [] }
  switch (outcome) {
    case 'held':
      return { kind: 'held' }
    case 'undone':
      return { kind: 'undone', failure, leftovers: [] }
    case 'damaged':
      return { kind: 'undone', failure, leftovers: [why] }
    case 'unknown':
      return { kind: 'unknown', why: 'the host has no record of this deployment' }
  }
}

function unexpected(reply: Reply): HostEnd {
  return { kind: 'unknown', why: `the agent answered '${reply.type}' out of order` }
}

function unreachable(error: unknown): HostEnd {
  const hint = error instanceof HostError ? (error.hint ?? null) : null
  return { kind: 'unreachable', message: messageOf(error), hint }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
