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
  /** Milliseconds from a monotonic clock. */
  ticks(): number
}

export interface HostJob {
  readonly plan: HostPlan
  /** The host commit to deploy. */
  readonly commit: Oid
  readonly digest: string
  /** Whether it has to be confirmed over a new connection. */
  readonly reconnect: boolean
  /** The objects that the host does not have. Asked again where the agent had to be installed first. */
  objects(): AsyncIterable<readonly ObjectChunk[]>
}

export interface Policy {
  /** At most so many hosts are connected to and staged at a time. */
  readonly parallel: number
  /** How many hosts are activated at a time; null for all at once. */
  readonly batch: Batch | null
  /** No host is confirmed before all have settled, and a failure on one undoes all. */
  readonly atomic: boolean
  /** Whether links may replace files that differ from them. */
  readonly adopt: boolean
  /** How long a host waits for its confirmation before it undoes, in milliseconds. */
  readonly confirmMs: number
  /** Whether hosts that cannot be reached are left out, or stop the others. */
  readonly skipUnreachable: boolean
  /** How long to queue behind other deployments, in milliseconds. */
  readonly waitMs: number
}

interface Connections {
  /** Whoever takes one closes it. Rejects with HostError. */
  take(host: HostName): Promise<Connection>
  /** Opens one that shares nothing with any other. Rejects with HostError, also when `signal` says to give up. */
  connectFresh(host: HostName, signal: AbortSignal): Promise<Connection>
}
