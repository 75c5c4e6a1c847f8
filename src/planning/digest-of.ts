import { createHash } from 'node:crypto'
import { digest } from '../plan/digest.ts'
import type { HostPlan } from '../plan/plan.ts'

/** The agent compares it with the digest of the plan that it derives itself. */
export function digestOf(host: HostPlan): string {
  return digest(host, bytes => createHash('sha256').update(bytes).digest('hex'))
}
