/**
 * How a deployment is told while it happens: as text to people (text/reporter.ts), as JSON lines to programs
 * (json/reporter.ts).
 */

import type { DeploymentId } from '../plan/deployment-id.ts'
import type { ClusterName, HostName } from '../plan/names.ts'
import type { HostPlan, Plan } from '../plan/plan.ts'
import type { Ends, RolloutEvent } from '../rollout/events.ts'
import type { PlanSource } from './text/plan.ts'

/** Called in the order of its methods; `begin` and what follows only where the plan was accepted. */
export interface Reporter {
  plan(shown: ShownPlan): void
  begin(beginning: Beginning): void
  event(event: RolloutEvent): void
  /** The last event was reported. Also after a rollout that broke off. */
  end(): void
  /** What failed is told by the error that follows. */
  conclude(conclusion: Conclusion): void
}

export interface ShownPlan {
  readonly plan: Plan
  readonly source: PlanSource
  /** Where it was saved before it was carried out; null where it was made just now. */
  readonly saved: SavedBy | null
  /** What a host's plan is accepted by, in hexadecimal. */
  digest(host: HostPlan): string
}

export interface SavedBy {
  readonly id: DeploymentId
  /** ISO 8601, UTC. */
  readonly at: string
  /** `Name <email>`; null where git did not know. */
  readonly by: string | null
}

interface Beginning {
  readonly id: DeploymentId
  readonly cluster: ClusterName
  readonly operator: string
  readonly hosts: readonly HostName[]
}

export interface Conclusion {
  readonly id: DeploymentId
  readonly cluster: ClusterName
  /** Of the whole deployment; errors.ts has the exit code for each. */
  readonly outcome: 'done' | 'failed' | 'partial' | 'unknown' | 'unrecorded'
  readonly ends: Ends
  readonly ms: number
}
