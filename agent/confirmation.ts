/** The operator's decision on a deployment in progress: to keep it, to undo it, or to wait for other hosts. */
import type { DeploymentId } from '../src/plan/deployment-id.ts'
import type { Deploy, Failure } from '../src/protocol/messages.ts'
import type { Agent } from './agent.ts'
import { NEEDS_NEW, readVerdict, type Verdict } from './verdict.ts'

/**
 * Waits for the operator's decision, from this session or another. undefined if it is to keep the deployment; a failure
 * if it is to undo it, or if none arrives in time. The time starts now, and again with each 'wait'.
 */
export function awaitConfirmation(agent: Agent, { id, confirmMs, reconnect }: Deploy): Failure | undefined {
  const { machine, wire, lock } = agent
  let deadline = machine.ticks() + confirmMs
  lock.noteSettled(confirmMs)
  wire.send({ type: 'settled', ms: confirmMs })
  for (;;) {
    const decision = nextDecision(agent, id)
    // The clock comes last: if the host was suspended meanwhile, the decision is too late.
    if (machine.ticks() >= deadline) break
    if (decision === 'wait') {
      deadline = machine.ticks() + confirmMs
      lock.noteSettled(confirmMs)
    } else if (decision?.verdict === 'undo') return failure(decision.why)
    else if (decision && !(reconnect && decision.by === 'this session')) return undefined
    else if (decision) wire.send({ type: 'refused', refusal: { kind: 'error', message: NEEDS_NEW } })
  }
  const over = reconnect ? ' over a new connection' : ''
  return failure(`not confirmed${over} within ${confirmMs / 1000} s`)
}

/** Why the operator wants it undone; undefined if nobody does. Asked between steps, and during slow ones. */
export function withdrawn({ machine, wire }: Agent, id: DeploymentId): string | undefined {
  if (machine.terminated()) return TERMINATED
  const next = wire.next(0)
  if (typeof next === 'object' && next.type === 'undo' && next.id === id) return next.why
  const verdict = readVerdict(machine.files, id)
  return verdict?.verdict === 'undo' ? verdict.why : undefined
}

export const TERMINATED = 'the agent was terminated'

const VERDICT_POLL_MS = 50

type Decision = 'wait' | (Verdict & { readonly by: 'this session' | 'another' })

/** undefined if there is none within VERDICT_POLL_MS. */
function nextDecision({ machine, wire }: Agent, id: DeploymentId): Decision | undefined {
  if (machine.terminated()) return { id, verdict: 'undo', why: TERMINATED, by: 'this session' }
  const verdict = readVerdict(machine.files, id)
  if (verdict) return { ...verdict, by: 'another' }
  const next = wire.next(VERDICT_POLL_MS)
  if (next === 'end') machine.sleep(VERDICT_POLL_MS)
  if (typeof next === 'string' || !('id' in next) || next.id !== id) return undefined
  if (next.type === 'wait') return 'wait'
  if (next.type === 'undo') return { id, verdict: 'undo', why: next.why, by: 'this session' }
  return next.type === 'confirm' ? { id, verdict: 'confirm', why: '', by: 'this session' } : undefined
}

function failure(message: string): Failure {
  return { step: null, message, units: [] }
}
