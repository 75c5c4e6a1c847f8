/** What one host is at, as the events of its rollout tell. */
import type { HostName } from '../../plan/names.ts'
import type { InProgress } from '../../protocol/messages.ts'
import {
  type EventOf,
  type HostEnd,
  isEnd,
  type ProgressKind,
  type RolloutEvent,
} from '../../rollout/events.ts'
import { printable } from '../clean.ts'
import type { HostRow } from '../layout.ts'
import { END_WORD, explain } from './ends.ts'
import { stepWords } from './events.ts'
import { operatorName } from './names.ts'

export class HostProgress {
  readonly host: HostName
  end: HostEnd | undefined
  /** How long it took, or has taken so far; both in milliseconds of the rollout. */
  #began: number | undefined
  #ended = 0
  /** Since when it has waited for its wave; that does not count. */
  #waits: number | undefined
  #phase: Phase = { text: () => 'waiting', progress: 0 }

  constructor(host: HostName) {
    this.host = host
  }

  take(event: RolloutEvent): void {
    if (this.#waits !== undefined && this.#began !== undefined) this.#began += event.ms - this.#waits
    this.#waits = event.kind === 'wave' ? event.ms : undefined
    if (isEnd(event)) {
      this.end = event
      this.#ended = event.ms
    } else this.#phase = phaseAfter(event) ?? this.#phase
    this.#began ??= event.ms
  }

  /** How long it took. */
  get ms(): number {
    return this.#ended - (this.#began ?? this.#ended)
  }

  row(now: number): HostRow {
    const { host, end } = this
    if (this.#began === undefined)
      return { host, standing: 'waiting', text: 'waiting', ms: null, progress: 0 }
    if (end) {
      const standing = explain(end, host) === null ? 'done' : 'failed'
      const text = explain(end, host)?.headline ?? END_WORD[end.kind]
      return { host, standing, text, ms: this.ms, progress: LAST }
    }
    const { text, progress } = this.#phase
    if (this.#waits !== undefined) return { host, standing: 'waiting', text: text(now), ms: null, progress }
    return { host, standing: 'running', text: text(now), ms: Math.max(0, now - this.#began), progress }
  }
}

interface Phase {
  readonly text: (now: number) => string
  readonly progress: number
}

const LAST = 9

/** Undefined where the phase before goes on. */
const PHASES: { readonly [K in ProgressKind]: (event: EventOf<K>) => Phase | undefined } = {
  connecting: () => phase('connecting', 1),
  installing: () => phase('installing the agent', 1),
  connected: () => phase('staging', 2),
  installed: () => phase('staging, agent installed', 2),
  recovered: () => undefined,
  staged: () => phase('staged', 3),
  wave: ({ wave, waves }) => phase(`staged, wave ${wave} of ${waves}`, 3),
  step: stepPhase,
  queued: ({ behind }) => phase(`queued behind ${holderOf(behind)}`, 0),
  proving: () => phase('confirming over a new connection', 6),
  unproven: () => phase('no new connection yet, trying again', 6),
  waiting: () => phase('settled, waiting for the others', 6),
  confirming: () => phase('confirming', 6),
  withdrawing: () => phase('rolling back', 0),
  reconnecting: () => phase('connection lost, reconnecting', 0),
}

function phaseAfter(event: EventOf<ProgressKind>): Phase | undefined {
  return (PHASES[event.kind] as (event: RolloutEvent) => Phase | undefined)(event)
}

function stepPhase({ step, ms }: EventOf<'step'>): Phase | undefined {
  if (step.kind !== 'settle') return stepWords(step).map(text => phase(text, 4))[0]
  return {
    // Longer where a unit takes its time to start.
    text: now => `watch ${countdown(ms + step.ms - now)}${step.units.join(' ')}`,
    progress: 5,
  }
}

/** Its holder is empty while it has just begun. */
function holderOf({ holder }: InProgress): string {
  return printable(operatorName(holder)) || 'another deployment'
}

function countdown(left: number): string {
  return left > 0 ? `${(left / 1000).toFixed(1)} s: ` : ''
}

function phase(text: string, progress: number): Phase {
  return { text: () => text, progress }
}
