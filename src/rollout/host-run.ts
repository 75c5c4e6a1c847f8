/** The part of a rollout that concerns one host. */
import type { HostName } from '../plan/names.ts'
import type { Refusal, Reply } from '../protocol/messages.ts'
import { openSession, type Session } from '../remote/session.ts'
import { type Connection, HostError } from '../remote/transport.ts'
import type { HostEnd } from './events.ts'
import { flight } from './flight.ts'
import {
  endByAsking,
  endFrom,
  endOfBegun,
  endUnbegun,
  messageOf,
  unreachable,
  WITHDRAWN,
} from './host-end.ts'
import { HostNews } from './host-news.ts'
import { pause } from './pause.ts'
import { reachAgain } from './reach-again.ts'
import type { HostJob, Run } from './run.ts'
import { untilFree } from './until-free.ts'

type Busy = Extract<Refusal, { kind: 'busy' }>

export class HostRun {
  readonly name: HostName
  end: HostEnd | undefined
  /** Who has the lock, where that is somebody who may be waited for. */
  locked: Busy | undefined
  private readonly run: Run
  private readonly job: HostJob
  private readonly news: HostNews
  private connection: Connection | undefined
  private session: Session | undefined
  /** A session over another connection, by which it will be confirmed. */
  private anew: { readonly connection: Connection; readonly session: Session } | undefined
  /** What the agent says after it has settled. */
  private answer: Promise<Reply> | undefined
  /** From when it has settled until it is known to do something else than to wait. */
  private waiting: AbortController | undefined
  private why: string | undefined
  private verdict: 'confirm' | 'undo'
  private asking = false
  private decided = false
  private keepAlive: NodeJS.Timeout | undefined

  constructor(run: Run, job: HostJob, started: number) {
    this.name = job.plan.host
    this.run = run
    this.job = job
    this.news = new HostNews(run, job.plan, started)
    // A host that was lost before all had agreed is one that has failed.
    this.verdict = run.policy.atomic && run.jobs.length > 1 ? 'undo' : 'confirm'
  }

  /** Whether it has settled and is not known to have done anything since. */
  get waits(): boolean {
    return this.waiting !== undefined && !this.waiting.signal.aborted
  }

  /** Connects, locks and stages. Where the host could not now be activated, it has an end or is `locked`. */
  async stage(): Promise<void> {
    this.locked = undefined
    const staging = new AbortController()
    try {
      const reply = await Promise.race([this.open(), this.untilAbandoned(staging.signal)])
      if (reply?.type === 'staged') {
        this.news.tell({ kind: 'staged', adopted: reply.adopted, notes: reply.notes })
      } else if (reply?.type === 'refused' && reply.refusal.kind === 'busy' && this.run.policy.waitMs > 0)
        this.locked = reply.refusal
      else this.finish(reply === undefined ? WITHDRAWN : endUnbegun(reply))
    } catch (error) {
      this.finish(unreachable(error))
    } finally {
      staging.abort()
    }
  }

  /** Takes back what was staged, without an end: it will be staged anew. */
  async letGo(): Promise<void> {
    if (this.locked) this.news.waiting(this.locked)
    else await this.leave('another host has to be waited for')
    this.session?.close()
  }

  /** Waits until nobody is deploying to the host any more, as far as one can tell. */
  async untilFree(deadline: number): Promise<void> {
    const left = () => deadline - this.run.ticks()
    const waited = await untilFree(this.connection!, left, this.run.signal, busy => this.news.waiting(busy))
    if (waited === 'over') return
    // Staging connects anew, and tells.
    this.connection?.close()
    this.connection = undefined
  }

  /** Withdraws what was staged: the agent leaves everything as it was. */
  async giveUp(): Promise<void> {
    if (this.end) return
    if (this.locked) return this.finish({ kind: 'refused', refusal: this.locked })
    await this.leave('another host could not be staged')
    this.finish(WITHDRAWN)
  }

  /** Its turn comes with its wave. */
  awaitWave(wave: number, waves: number): void {
    this.news.tell({ kind: 'wave', wave, waves })
    this.session?.listen()
  }

  /** Activates. Whether everything runs, and the host now waits for its confirmation. */
  async activate(): Promise<boolean> {
    const session = this.session!
    if (session.isOver()) return this.wasLost(session)
    let begun = false
    try {
      await session.send({ type: 'activate' })
      for (;;) {
        const reply = await session.next()
        begun ||= reply.type === 'step'
        if (reply.type === 'step') this.news.step(reply.index)
        else if (reply.type !== 'settled') {
          this.finish(begun ? endOfBegun(reply) : endUnbegun(reply))
          return false
        } else if (this.why === undefined) return this.settled(session)
      }
    } catch (error) {
      await this.askAgain(messageOf(error))
      return false
    }
  }

  /** Whether it may be confirmed: where that takes a new connection, whether one could be made in time. */
  async prove(): Promise<boolean> {
    if (!this.job.reconnect) return true
    this.news.tell({ kind: 'proving' })
    const { ticks, policy } = this.run
    const deadline = ticks() + policy.confirmMs
    const attempts = {
      connect: (signal: AbortSignal) => this.run.connections.anew(this.name, signal),
      left: () => deadline - ticks(),
      signal: this.waiting!.signal,
      failed: (why: string) => this.news.unproven(why),
    }
    this.anew = await reachAgain(attempts, (session, connection) => ({ session, connection }))
    return this.anew !== undefined && this.waits
  }

  /** Keeps the host from undoing while other hosts take their time. Calls back should it not wait any more. */
  awaitOthers(onEnd: () => void): void {
    const { id, policy } = this.run
    const sendWait = () => void this.session?.send({ type: 'wait', id })
    this.news.tell({ kind: 'waiting' })
    this.keepAlive = setInterval(sendWait, policy.confirmMs / 3)
    const ended = () => {
      if (!this.decided) onEnd()
    }
    this.answer?.then(ended, ended)
  }

  /** All have agreed: it is confirmed whatever comes. */
  decide(): void {
    this.decided = true
    this.verdict = 'confirm'
  }

  /** Confirms, and waits for the end. */
  async confirm(): Promise<void> {
    this.stopKeepAlive()
    this.news.tell({ kind: 'confirming' })
    const session = this.anew?.session ?? this.session!
    try {
      await session.send({ type: 'confirm', id: this.run.id })
      const reply = await (this.anew ? session.next() : this.answer!)
      if (reply.type === 'refused') return this.untilEnd()
      this.finish(endFrom(reply))
    } catch (error) {
      await this.askAgain(messageOf(error))
    }
  }

  /** Waits for the end of a host that was withdrawn, or undoes by itself. */
  async untilEnd(): Promise<void> {
    this.stopKeepAlive()
    if (this.end) return
    try {
      this.finish(endOfBegun(await this.answer!))
    } catch (error) {
      await this.askAgain(messageOf(error))
    }
  }

  /** Asks the host to undo, whatever it is doing. */
  withdraw(why: string): void {
    if (this.end || this.decided || this.why !== undefined) return
    this.why = why
    this.verdict = 'undo'
    this.waiting?.abort()
    if (this.session) this.news.tell({ kind: 'withdrawing' })
    // A session that has left its verdict hears nothing any more: another one has to.
    if (this.asking) this.connection?.close()
    else void this.session?.send({ type: 'undo', id: this.run.id, why })
  }

  close(): void {
    this.stopKeepAlive()
    for (const session of [this.session, this.anew?.session]) session?.close()
    for (const connection of [this.connection, this.anew?.connection]) connection?.close()
    this.session = this.connection = this.anew = undefined
  }

  private async open(): Promise<Reply> {
    this.session = await this.greet().catch(error => {
      if (!isLost(error) || this.end || this.why !== undefined) throw error
      // It may have been made while the plan was read, and be gone since.
      this.connection?.close()
      this.connection = undefined
      return this.greet()
    })
    this.news.greeted(this.session)
    if (this.why !== undefined) void this.session.send({ type: 'undo', id: this.run.id, why: this.why })
    return this.session.next()
  }

  private async greet(): Promise<Session> {
    this.news.tell({ kind: 'connecting' })
    this.connection ??= await this.run.connections.take(this.name)
    if (this.end) this.connection.close()
    const staging = () => flight(this.run, this.job, () => this.why !== undefined)
    const onInstall = () => this.news.tell({ kind: 'installing' })
    return openSession(this.connection, { flight: staging, onInstall })
  }

  /**
   * Resolves when the operator has withdrawn, and the host has had its time to say that it knows; not any more once
   * `staged` says that it has staged: nobody waits for that time then, and a timer would keep the program from ending.
   */
  private async untilAbandoned(staged: AbortSignal): Promise<undefined> {
    const { signal } = this.run
    if (!signal.aborted)
      await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true, signal: staged }))
    if (this.session) await pause(GIVE_UP_MS, staged)
  }

  /** Takes back what was staged. */
  private async leave(why: string): Promise<void> {
    if (this.why === undefined) void this.session?.send({ type: 'undo', id: this.run.id, why })
    try {
      await this.session?.next(GIVE_UP_MS)
    } catch {
      // Nothing was activated, so a host that is gone by now will clear what was staged by itself.
    }
  }

  /** While it waited for its wave: what was staged is gone, and nothing else has changed. */
  private async wasLost(session: Session): Promise<false> {
    try {
      await session.next()
      this.finish(WITHDRAWN)
    } catch (error) {
      this.finish(unreachable(error))
    }
    return false
  }

  private settled(session: Session): true {
    const waiting = new AbortController()
    this.waiting = waiting
    this.answer = session.next()
    const ended = () => waiting.abort()
    this.answer.then(ended, ended)
    return true
  }

  /** After a lost connection: the agent goes on without us, and a new session tells how it ended. */
  private async askAgain(why: string): Promise<void> {
    this.news.tell({ kind: 'reconnecting', why })
    this.asking = true
    this.close()
    const { id, policy, ticks } = this.run
    const deadline = ticks() + policy.confirmMs + UNDO_MS
    let since = ''
    const attempts = {
      connect: (signal: AbortSignal) => this.run.connections.anew(this.name, signal),
      left: () => deadline - ticks(),
      signal: new AbortController().signal,
      failed: (reason: string) => {
        since = `; since then: ${reason}`
      },
    }
    const end = await reachAgain(attempts, async (session, connection) => {
      this.connection = connection
      const { verdict, why: reason = `the connection was lost: ${why}` } = this
      await session.send(verdict === 'confirm' ? { type: 'confirm', id } : { type: 'undo', id, why: reason })
      return endByAsking(await session.next(), session.hello, this.job.plan.from)
    })
    this.finish(end ?? { kind: 'unknown', why: why + since })
  }

  private stopKeepAlive(): void {
    clearInterval(this.keepAlive)
  }

  private finish(end: HostEnd): void {
    if (this.end) return
    this.end = end
    this.news.tell(end)
  }
}

function isLost(error: unknown): boolean {
  return error instanceof HostError && error.kind === 'lost'
}

/** How long a host is waited for that nothing more depends on, in milliseconds. */
const GIVE_UP_MS = 2000
/** How long a host that was not confirmed may take to undo before nobody asks any more, in milliseconds. */
const UNDO_MS = 10_000
