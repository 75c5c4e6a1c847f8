import type { DeploymentId } from '../plan/deployment-id.ts'
import type { Planned } from '../planning/planned.ts'
import type { RecordedJob } from './jobs.ts'

/** An accepted plan under its id: what hooks, hosts, the log and the refs are told of it. */
export interface Deployment {
  readonly planned: Planned
  readonly id: DeploymentId
  /** Whether the plan was saved before: then another deployment may have had this id. */
  readonly isSaved: boolean
  /** `Name <email>`. */
  readonly operator: string
  /** When it was begun, in milliseconds since 1970. */
  readonly at: number
  readonly jobs: readonly RecordedJob[]
}
