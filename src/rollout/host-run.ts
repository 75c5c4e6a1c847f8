/** The part of a rollout that concerns one host. */
import type { HostName } from '../plan/names.ts'
import type { Refusal, Reply } from '../protocol/messages.ts'
import { openSession, type Session } from '../remote/session.ts'
import { type Connection, HostError } from '../remote/transport.ts'
import { askForEnd } from './ask-for-end.ts'
import type { HostEnd } from './events.ts'
import { flight } from './flight.ts'
import { endFrom, endOfBegun, endUnbegun, messageOf, unreachable, WITHDRAWN } from './host-end.ts'
import { HostNews } from './host-news.ts'
import { pause } from './pause.ts'
import type { HostJob, Run } from './run.ts'
import { SettledHost } from './settled-host.ts'
import { untilFree } from './until-free.ts'
import { Verdict } from './verdict.ts'

type Busy = Extract<Refusal, { kind: 'busy' }>

export class HostRun {
  readonly name: HostName
  end: HostEnd | undefined
  /** Who has the lock, if they may be waited for. */
  locked: Busy | undefined
  private readonly run: Run
  private readonly job: HostJob
  private readonly news: HostNews
  private connection: Connection | undefined
  private session: Session | undefined
  private settled: SettledHost | undefined
  private readonly verdict: Verdict
  /** Whether it was lost, and is asked how it ended. */
  private asking = false

  constructor(run: Run, job: HostJob, started: number) {
    this.name = job.plan.host
    this.run = run
    this.job = job
    this.news = new HostNews(run, job.plan, started)
    // With --atomic, a host that is lost before all have agreed has failed.
    this.verdict = new Verdict(run.policy.atomic && run.jobs.length > 1 ? 'undo' : 'confirm')
  }

  /** Whether it has settled and is not known to have done anything since. */
  get waits(): boolean {
    return this.settled?.waits ?? false
  }

  /** Connects, locks and stages. A host that cannot be activated now has an end, or is `locked`. */
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

  /** Takes back what was staged, without an end: it will be staged again. */
  async letGo(): Promise<void> {
    if (this.locked) this.news.waiting(this.locked)
    else await this.leave('another host is not ready yet')
    this.session?.close()
  }

  /** Waits until, as far as one can tell, nobody is deploying to the host. */
  async untilFree(deadline: number): Promise<void> {
    const left = () => deadline - this.run.ticks()
    const waited = await untilFree(this.connection!, left, this.run.signal, busy => this.news.waiting(busy))
    if (waited === 'over') return
    // Staging connects again, and tells.
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

  awaitWave(wave: number, waves: number): void {
    this.news.tell({ kind: 'wave', wave, waves })
    this.session?.listen()
  }

  /** Whether everything runs, and the host now waits for its confirmation. */
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
        else if (reply.type === 'restarted' || reply.type === 'watching') this.news.unitNews(reply)
        else if (reply.type !== 'settled') {
          this.finish(begun ? endOfBegun(reply) : endUnbegun(reply))
          return false
        } else if (this.verdict.why === undefined) {
          this.settled = new SettledHost(this.run, this.job, this.news, session)
          return true
        }
      }
    } catch (error) {
      await this.askAgain(messageOf(error))
      return false
    }
  }

  prove(): Promise<boolean> {
    return this.settled!.prove()
  }

  awaitOthers(onEnd: () => void): void {
    this.settled!.awaitOthers(() => {
      if (!this.verdict.isFinal) onEnd()
    })
  }

  /** All have agreed: it is confirmed whatever comes. */
  decide(): void {
    this.verdict.confirm()
  }

  /** Confirms, and waits for the end. */
  async confirm(): Promise<void> {
    try {
      const reply = await this.settled!.confirm()
      if (reply.type === 'refused') return this.untilEnd()
      this.finish(endFrom(reply))
    } catch (error) {
      await this.askAgain(messageOf(error))
    }
  }

  /** Waits for the end of a host that was withdrawn, or undoes by itself. */
  async untilEnd(): Promise<void> {
    if (this.end) return
    try {
      this.finish(endOfBegun(await this.settled!.answer))
    } catch (error) {
      await this.askAgain(messageOf(error))
    }
  }

  /** Asks the host to undo, whatever it is doing. */
  withdraw(why: string): void {
    if (this.end || !this.verdict.withdraw(why)) return
    this.settled?.stopWaiting()
    if (this.session) this.news.tell({ kind: 'withdrawing' })
    // A session that has delivered its verdict is not listened to any more: it takes another session.
    if (this.asking) this.connection?.close()
    else void this.session?.send({ type: 'undo', id: this.run.id, why })
  }

  close(): void {
    this.settled?.close()
    this.session?.close()
    this.connection?.close()
    this.session = this.connection = undefined
  }

  private async open(): Promise<Reply> {
    this.session = await this.greet().catch(error => {
      if (!isLost(error) || this.end || this.verdict.why !== undefined) throw error
      // It was made while the plan was read, and may have been lost since.
      this.connection?.close()
      this.connection = undefined
      return this.greet()
    })
    this.news.greeted(this.session)
    const { why } = this.verdict
    if (why !== undefined) void this.session.send({ type: 'undo', id: this.run.id, why })
    return this.session.next()
  }

  private async greet(): Promise<Session> {
    this.news.tell({ kind: 'connecting' })
    this.connection ??= await this.run.connections.take(this.name)
    if (this.end) this.connection.close()
    const staging = () => flight(this.run, this.job, () => this.verdict.why !== undefined)
    const onInstall = () => this.news.tell({ kind: 'installing' })
    return openSession(this.connection, { flight: staging, onInstall })
  }

  /**
   * Resolves when the operator has withdrawn and the host has had time to answer. Once it is `staged`, never: nobody waits
   * then, and a timer would keep the program from ending.
   */
  private async untilAbandoned(staged: AbortSignal): Promise<undefined> {
    const { signal } = this.run
    if (!signal.aborted)
      await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true, signal: staged }))
    if (this.session) await pause(GIVE_UP_MS, staged)
  }

  /** Takes back what was staged. */
  private async leave(why: string): Promise<void> {
    if (this.verdict.why === undefined) void this.session?.send({ type: 'undo', id: this.run.id, why })
    try {
      await this.session?.next(GIVE_UP_MS)
    } catch {
      // Nothing was activated, so a host that is lost by now clears what was staged by itself.
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

  private async askAgain(why: string): Promise<void> {
    this.news.tell({ kind: 'reconnecting', why })
    this.asking = true
    this.close()
    const { verdict } = this
    const onConnect = (connection: Connection) => {
      this.connection = connection
    }
    this.finish(await askForEnd(this.run, this.job, { why, verdict, onConnect }))
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

/** How long to wait for a host on whose answer nothing depends, in milliseconds. */
const GIVE_UP_MS = 2000
