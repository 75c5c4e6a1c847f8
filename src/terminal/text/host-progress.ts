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
import { secondsOf, stepWords } from './events.ts'
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
  step: ({ step }) => stepWords(step).map(text => phase(text, 4))[0],
  restarted: () => undefined,
  watching: watchPhase,
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

/** 'watching a.service, 2.1 of 5 s'; not more of it where a unit takes its time to start. */
function watchPhase({ units, forMs, ms }: EventOf<'watching'>): Phase {
  const passed = (now: number) => (Math.min(forMs, Math.max(0, now - ms)) / 1000).toFixed(1)
  const [first, ...more] = units
  // The time must fit into the line.
  const names = more.length > 0 ? `${first} and ${more.length} more` : first
  return {
    text: now => `watching ${names}, ${passed(now)} of ${secondsOf(forMs)} s`,
    progress: 5,
  }
}

/** Its holder is empty while it has just begun. */
function holderOf({ holder }: InProgress): string {
  return printable(operatorName(holder)) || 'another deployment'
}

function phase(text: string, progress: number): Phase {
  return { text: () => text, progress }
}
