/** What a rollout is asked for. */

import type { DeploymentId } from '../plan/deployment-id.ts'
import type { HostName, Oid } from '../plan/names.ts'
import type { HostPlan } from '../plan/plan.ts'
import type { Batch } from '../plan/waves.ts'
import type { ObjectChunk } from '../protocol/messages.ts'
import type { Connection } from '../remote/transport.ts'
import type { RolloutEvent } from './events.ts'

export interface Run {
  readonly id: DeploymentId
  readonly operator: string
  readonly jobs: readonly HostJob[]
  readonly policy: Policy
  readonly connections: Connections
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
  /** Whether it holds only if it is confirmed over a new connection. */
  readonly reconnect: boolean
  /** The objects that the host does not have. Asked again where the agent had to be installed first. */
  objects(): AsyncIterable<readonly ObjectChunk[]>
}

/** How the operator wants it done. */
export interface Policy {
  /** At most so many hosts are connected to and staged at a time. */
  readonly parallel: number
  /** How many hosts are activated at a time; null for all at once. */
  readonly batch: Batch | null
  /** No host holds before all have settled, and a failure on one takes all back. */
  readonly atomic: boolean
  /** Whether links may take the place of what differs from them. */
  readonly adopt: boolean
  /** How long a host waits for its confirmation before it undoes, in milliseconds. */
  readonly confirmMs: number
  /** Whether hosts that cannot be reached are left out, or stop the others. */
  readonly skipUnreachable: boolean
  /** How long a host may be waited for that somebody else is deploying to, in milliseconds. */
  readonly waitMs: number
}

interface Connections {
  /** Whoever takes one closes it. Rejects with HostError. */
  take(host: HostName): Promise<Connection>
  /** Opens one that shares nothing with any other. Rejects with HostError, also when `signal` says to give up. */
  connectFresh(host: HostName, signal: AbortSignal): Promise<Connection>
}
