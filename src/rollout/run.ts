/** What a rollout is asked for. */
import type { HostName, Oid } from '../plan/names.ts'
import type { HostPlan } from '../plan/plan.ts'
import type { DeploymentId, ObjectChunk } from '../protocol/messages.ts'
import type { Connection } from '../remote/transport.ts'
import type { RolloutEvent } from './events.ts'

/** What the hosts of a rollout share. */
export interface Run {
  readonly id: DeploymentId
  readonly operator: string
  readonly jobs: readonly HostJob[]
  /** How long a host waits for its confirmation before it undoes, in milliseconds. */
  readonly confirmMs: number
  /** Whether links may take the place of what differs from them. */
  readonly adopt: boolean
  /** Opens a way to the host. Rejects with HostError. */
  connect(host: HostName): Promise<Connection>
  /** Opens one that shares nothing with any other. Rejects with HostError, also when `signal` says to give up. */
  connectAnew(host: HostName, signal: AbortSignal): Promise<Connection>
  readonly waitMs: number
  /** Aborted when the operator wants it all back. */
  readonly signal: AbortSignal
  readonly atomic: boolean
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
