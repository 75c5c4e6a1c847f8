import type { DeploymentId } from './plan/deployment-id.ts'
import type { ClusterName, Oid } from './plan/names.ts'

/**
 * What a host's commit says of the deployment that made it (git/host-commits.ts reads it). Plain data. A host may have
 * made the commit itself: what is not a name, a date or an id here is none in the commit either, and text is as it came.
 */
export interface HostCommit {
  readonly commit: Oid
  readonly tree: Oid
  readonly parents: readonly Oid[]
  readonly subject: string
  /** `Name <email>`. */
  readonly author: string
  /** The author's name as .mailmap has it. */
  readonly who: string
  readonly date: Date
  /** The date in ISO 8601, in the author's time zone. */
  readonly at: string
  /** The date as in '3 minutes ago'. */
  readonly when: string
  readonly cluster: ClusterName | null
  /** The commit that the files came from, with '+dirty' where they were changed; or a word. '' where it is not said. */
  readonly source: string
  /** Null where no deployment has made it. */
  readonly deployment: DeploymentId | null
}
