import { createHash } from 'node:crypto'
import { digest } from '../plan/digest.ts'
import type { HostPlan } from '../plan/plan.ts'

/** What the operator accepts a host's plan by. */
export function digestOf(host: HostPlan): string {
  return digest(host, bytes => createHash('sha256').update(bytes).digest('hex'))
}
