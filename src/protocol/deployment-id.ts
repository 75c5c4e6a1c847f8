import type { DeploymentId } from './messages.ts'

/** The UTC second with which an id begins. */
export function secondOf(id: DeploymentId): string {
  return id.slice(0, '20260101T000000'.length)
}
