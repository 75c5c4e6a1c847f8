import type { HostPlan } from '../plan/plan.ts'
import type { InProgress } from '../protocol/messages.ts'
import type { Session } from '../remote/session.ts'
import type { RolloutEvent } from './events.ts'
import type { Run } from './run.ts'

/** Events of one host, with its name and the milliseconds since `started`. */
export class HostNews {
  private readonly run: Run
  private readonly plan: HostPlan
  private readonly started: number
  private told = ''

  constructor(run: Run, plan: HostPlan, started: number) {
    this.run = run
    this.plan = plan
    this.started = started
  }

  tell(event: DistributiveOmit<RolloutEvent, 'host' | 'ms'>): void {
    const ms = this.run.ticks() - this.started
    this.run.emit({ ...event, host: this.plan.host, ms } as RolloutEvent)
  }

  greeted({ installed, hello, aheadMs }: Session): void {
    this.tell({ kind: 'connected', aheadMs })
    if (installed) this.tell({ kind: 'installed' })
    if (hello.recovered) this.tell({ kind: 'recovered', ...hello.recovered })
  }

  step(index: number): void {
    const step = this.plan.steps[index]
    if (step) this.tell({ kind: 'step', step })
  }

  /** Once for each deployment that is in the way. */
  waiting(busy: InProgress): void {
    if (this.told !== busy.id) this.tell({ kind: 'queued', behind: busy })
    this.told = busy.id
  }

  /** Once for each reason. */
  unproven(why: string): void {
    if (this.told !== why) this.tell({ kind: 'unproven', why })
    this.told = why
  }
}

type DistributiveOmit<T, K extends keyof never> = T extends unknown ? Omit<T, K> : never
