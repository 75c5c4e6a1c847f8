/** What hosts turned out to run when they were asked (delivery/catch-up.ts), for terminal/ to show. Plain data. */

import type { HostCommit } from './host-commit.ts'
import type { DeploymentId } from './plan/deployment-id.ts'
import type { Oid } from './plan/names.ts'
import type { InProgress, Outcome } from './protocol/messages.ts'

/** What became of a host since this repository last heard of it. */
export type News =
  /** `at` is null where nothing is deployed there. */
  | { readonly kind: 'unchanged'; readonly at: Oid | null }
  | Moved
  /** It was tracked, and now nothing is deployed there: it was set up anew. */
  | { readonly kind: 'reprovisioned'; readonly from: Oid }
  | { readonly kind: 'failed'; readonly message: string; readonly hint: string | null }

export interface Moved {
  /** `rewound`: what we knew of is not in its history any more. */
  readonly kind: 'new' | 'moved' | 'rewound'
  readonly from: Oid | null
  readonly to: Oid
  readonly tree: Oid
  /** The newest first. */
  readonly commits: readonly HostCommit[]
}

/** What a host said when it was asked. */
export interface Heard {
  readonly news: News
  /** The deployment under way there. */
  readonly inProgress: InProgress | null
  /** Deployments of which this repository did not know how they ended. */
  readonly ended: readonly Ended[]
  /** By how much this clock is ahead of the host's, in milliseconds; null of a host that gave no answer. */
  readonly aheadMs: number | null
}

export interface Ended {
  readonly id: DeploymentId
  /** `refused`: it never began there. */
  readonly outcome: Outcome | 'refused'
  readonly why: string
  readonly ms: number
}
