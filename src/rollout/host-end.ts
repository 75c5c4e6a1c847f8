/** How a deployment ended on a host, from the agent's last reply. */
import { Fatal } from '../errors.ts'
import type { Oid } from '../plan/names.ts'
import type { Failure, Hello, Outcome, Reply } from '../protocol/messages.ts'
import { HostError } from '../remote/transport.ts'
import type { HostEnd } from './events.ts'

export const WITHDRAWN: HostEnd = { kind: 'withdrawn' }

/**
 * Of a deployment that has begun: a refusal no longer means that nothing was changed. Throws if the agent cannot tell;
 * the next session finishes what it left behind, and can.
 */
export function endOfBegun(reply: Reply): HostEnd {
  if (reply.type !== 'refused') return endFrom(reply)
  const { refusal } = reply
  if (refusal.kind === 'preflight') throw new Error(refusal.problems.map(({ what }) => what).join('; '))
  throw new Error(refusal.kind === 'error' ? refusal.message : refusal.kind)
}

/** Before its first step. An 'outcome' then answers a withdrawal. */
export function endUnbegun(reply: Reply): HostEnd {
  return reply.type === 'outcome' ? WITHDRAWN : endFrom(reply)
}

/** Of one that was asked about by its id. A host that has no record, and runs what it ran, had not begun. */
export function endByAsking(reply: Reply, { current }: Hello, from: Oid | null): HostEnd {
  const unheardOf = reply.type === 'outcome' && reply.outcome === 'unknown'
  return unheardOf && current === from ? WITHDRAWN : endOfBegun(reply)
}

export function endFrom(reply: Reply): HostEnd {
  switch (reply.type) {
    case 'undone':
      return { kind: 'undone', failure: reply.failure, leftovers: reply.leftovers }
    case 'refused':
      return { kind: 'refused', refusal: reply.refusal }
    case 'outcome':
      return endOf(reply.outcome, reply.why)
    default:
      return { kind: 'unknown', why: `the agent answered with an unexpected '${reply.type}'` }
  }
}

function endOf(outcome: Outcome, why: string): HostEnd {
  const failure: Failure = { step: null, message: why, units: [] }
  switch (outcome) {
    case 'held':
      return { kind: 'held' }
    case 'undone':
      return { kind: 'undone', failure, leftovers: [] }
    case 'damaged':
      return { kind: 'undone', failure, leftovers: [why] }
    case 'unknown':
      return { kind: 'unknown', why: 'the host has no record of this deployment' }
  }
}

export function unreachable(error: unknown): HostEnd {
  const hint = error instanceof HostError || error instanceof Fatal ? (error.hint ?? null) : null
  return { kind: 'unreachable', message: messageOf(error), hint }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
