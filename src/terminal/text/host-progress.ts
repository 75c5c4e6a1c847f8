/** What one host is at, as the events of its rollout tell. */
import type { HostName } from '../../plan/names.ts'
import type { Pending } from '../../protocol/messages.ts'
import type { HostEnd, RolloutEvent } from '../../rollout/events.ts'
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
    const phase = phaseOf(event)
    if (phase === 'end') {
      this.end = event as HostEnd
      this.#ended = event.ms
    } else if (phase) this.#phase = phase
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
function phaseOf(event: RolloutEvent): Phase | 'end' | undefined {
  switch (event.kind) {
    case 'connecting':
      return phase('connecting', 1)
    case 'installing':
      return phase('installing the agent', 1)
    case 'connected':
      return phase('staging', 2)
    case 'installed':
      return phase('staging, agent installed', 2)
    case 'recovered':
      return undefined
    case 'staged':
      return phase('staged', 3)
    case 'wave':
      return phase(`staged, wave ${event.wave} of ${event.waves}`, 3)
    case 'step':
      return stepPhase(event)
    case 'queued':
      return phase(`queued behind ${holderOf(event.behind)}`, 0)
    case 'proving':
      return phase('confirming over a new connection', 6)
    case 'unproven':
      return phase('no new connection yet, trying again', 6)
    case 'waiting':
      return phase('settled, waits for the others', 6)
    case 'confirming':
      return phase('confirming', 6)
    case 'withdrawing':
      return phase('undoing', 0)
    case 'reconnecting':
      return phase('connection lost, asking again', 0)
    default:
      return 'end'
  }
}

function stepPhase({ step, ms }: Extract<RolloutEvent, { kind: 'step' }>): Phase | undefined {
  if (step.kind !== 'settle') return stepWords(step).map(text => phase(text, 4))[0]
  return {
    // Longer where a unit takes its time to start.
    text: now => `watch ${countdown(ms + step.ms - now)}${step.units.join(' ')}`,
    progress: 5,
  }
}

/** Its holder is empty while it has just begun. */
function holderOf({ holder }: Pending): string {
  return printable(operatorName(holder)) || 'another deployment'
}

function countdown(left: number): string {
  return left > 0 ? `${(left / 1000).toFixed(1)} s: ` : ''
}

function phase(text: string, progress: number): Phase {
  return { text: () => text, progress }
}
