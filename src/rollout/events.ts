/** What a rollout reports while it runs (rollout.ts yields it, terminal/ shows it). Plain data. */

import type { DeploymentId } from '../plan/deployment-id.ts'
import type { HostName } from '../plan/names.ts'
import type { Step } from '../plan/steps.ts'
import type { Adopted, Failure, InProgress, Outcome, Refusal } from '../protocol/messages.ts'

/** `ms` counts from the rollout's beginning. */
export type RolloutEvent = { readonly host: HostName; readonly ms: number } & (
  | { readonly kind: 'connecting' }
  /** The agent is being sent. */
  | { readonly kind: 'installing' }
  /** The agent has answered; it stages. `aheadMs`: by how much this clock is ahead of the host's. */
  | { readonly kind: 'connected'; readonly aheadMs: number }
  | { readonly kind: 'installed' }
  | { readonly kind: 'recovered'; readonly id: DeploymentId; readonly outcome: Outcome }
  | { readonly kind: 'staged'; readonly adopted: readonly Adopted[]; readonly notes: readonly string[] }
  /** All hosts have staged and are activated in waves: the number of its own, from 1. */
  | { readonly kind: 'wave'; readonly wave: number; readonly waves: number }
  | { readonly kind: 'step'; readonly step: Step }
  /** Everything runs; it is told to keep the deployment. */
  | { readonly kind: 'confirming' }
  /** It is asked to undo. */
  | { readonly kind: 'withdrawing' }
  | { readonly kind: 'reconnecting'; readonly why: string }
  /** It waits for another deployment, which has the lock. */
  | { readonly kind: 'queued'; readonly behind: InProgress }
  /** It has settled, and a new connection is made to confirm it. */
  | { readonly kind: 'proving' }
  /** No new connection could be made. */
  | { readonly kind: 'unproven'; readonly why: string }
  /** It has settled, but other hosts have not. */
  | { readonly kind: 'waiting' }
  | HostEnd
)

/** How it ended on one host. */
export type HostEnd =
  | { readonly kind: 'held' }
  /** Rolled back, except for the `leftovers`. */
  | { readonly kind: 'undone'; readonly failure: Failure; readonly leftovers: readonly string[] }
  /** Nothing was carried out there. */
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'unreachable'; readonly message: string; readonly hint: string | null }
  | { readonly kind: 'withdrawn' }
  /** It could not be asked how it ended. */
  | { readonly kind: 'unknown'; readonly why: string }

export type Result = 'deployed' | 'undone' | 'unchanged' | 'unknown'

/** What each end means for the host. */
export const RESULT: { readonly [K in HostEnd['kind']]: Result } = {
  held: 'deployed',
  undone: 'undone',
  refused: 'unchanged',
  unreachable: 'unchanged',
  withdrawn: 'unchanged',
  unknown: 'unknown',
}

/** The kinds of event after which others follow. */
export type ProgressKind = Exclude<RolloutEvent['kind'], HostEnd['kind']>

export function isEnd(event: RolloutEvent): event is EventOf<HostEnd['kind']> {
  return event.kind in RESULT
}

export type EventOf<K extends RolloutEvent['kind']> = Extract<RolloutEvent, { kind: K }>

export type Ends = ReadonlyMap<HostName, HostEnd>
