/** From what an agent says last to how a deployment ended on its host. */
import type { Failure, Outcome, Reply } from '../protocol/messages.ts'
import type { HostEnd } from '../rollout-events.ts'

/**
 * Of a deployment that has begun: none that is refused then was left as it was. Throws where the agent cannot tell;
 * the next session puts right what it left behind, and can.
 */
export function endOfBegun(reply: Reply): HostEnd {
  if (reply.type !== 'refused') return endFrom(reply)
  throw new Error(reply.refusal.kind === 'error' ? reply.refusal.message : reply.refusal.kind)
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
      return { kind: 'unknown', why: `the agent answered '${reply.type}' out of order` }
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
