/** A host on which everything runs, and which undoes all of it unless it is confirmed in time. */
import type { Reply } from '../protocol/messages.ts'
import type { Session } from '../remote/session.ts'
import type { Connection } from '../remote/transport.ts'
import type { HostNews } from './host-news.ts'
import { reachAgain } from './reach-again.ts'
import type { HostJob, Run } from './run.ts'

export class SettledHost {
  /** What the agent says next: that the deployment holds, or that it is undone. */
  readonly answer: Promise<Reply>
  private readonly run: Run
  private readonly job: HostJob
  private readonly news: HostNews
  private readonly session: Session
  /** Aborted once the host is known to have stopped waiting. */
  private readonly waiting = new AbortController()
  /** A session over another connection, by which it will be confirmed. */
  private fresh: { readonly connection: Connection; readonly session: Session } | undefined
  private keepAlive: NodeJS.Timeout | undefined

  constructor(run: Run, job: HostJob, news: HostNews, session: Session) {
    this.run = run
    this.job = job
    this.news = news
    this.session = session
    this.answer = session.next()
    const stop = () => this.stopWaiting()
    this.answer.then(stop, stop)
  }

  get waits(): boolean {
    return !this.waiting.signal.aborted
  }

  /** It has been told something, or has ended by itself. */
  stopWaiting(): void {
    this.waiting.abort()
    clearInterval(this.keepAlive)
  }

  /** Whether it may be confirmed: where that takes a new connection, whether one could be made in time. */
  async prove(): Promise<boolean> {
    if (!this.job.reconnect) return true
    this.news.tell({ kind: 'proving' })
    const { connections, ticks, policy } = this.run
    const deadline = ticks() + policy.confirmMs
    const attempts = {
      connect: (signal: AbortSignal) => connections.connectFresh(this.job.plan.host, signal),
      left: () => deadline - ticks(),
      signal: this.waiting.signal,
      failed: (why: string) => this.news.unproven(why),
    }
    this.fresh = await reachAgain(attempts, (session, connection) => ({ session, connection }))
    return this.fresh !== undefined && this.waits
  }

  /** Keeps the host from undoing while other hosts take their time. Calls back if it no longer waits. */
  awaitOthers(onEnd: () => void): void {
    const { id, policy } = this.run
    this.news.tell({ kind: 'waiting' })
    const sendWait = () => void this.session.send({ type: 'wait', id })
    this.keepAlive = setInterval(sendWait, policy.confirmMs / 3)
    this.answer.then(onEnd, onEnd)
  }

  /** What the host answers. Rejects with HostError. */
  async confirm(): Promise<Reply> {
    clearInterval(this.keepAlive)
    this.news.tell({ kind: 'confirming' })
    const session = this.fresh?.session ?? this.session
    await session.send({ type: 'confirm', id: this.run.id })
    return this.fresh ? session.next() : this.answer
  }

  close(): void {
    this.stopWaiting()
    this.fresh?.session.close()
    this.fresh?.connection.close()
  }
}
