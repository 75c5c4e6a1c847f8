/** What an agent at work hears from its operator: to undo, to hold, or to wait for other hosts. */
import type { DeploymentId } from '../src/plan/deployment-id.ts'
import type { Deploy, Failure } from '../src/protocol/messages.ts'
import type { Agent } from './agent.ts'
import { NEEDS_NEW, readVerdict, type Verdict } from './verdict.ts'

/**
 * Says that it is armed, and waits for the operator's word, from this session or another. A failure when that is
 * 'undo' or does not come in time; the time counts from here, and anew from each 'wait'.
 */
export function awaitConfirmation(agent: Agent, { id, confirmMs, reconnect }: Deploy): Failure | undefined {
  const { machine, wire, lock } = agent
  let deadline = machine.ticks() + confirmMs
  lock.noteSettled(confirmMs)
  wire.send({ type: 'settled', ms: confirmMs })
  for (;;) {
    const word = hear(agent, id)
    // Looked at last: a word that was heard because the host stood still for a while came too late.
    if (machine.ticks() >= deadline) break
    if (word === 'wait') {
      deadline = machine.ticks() + confirmMs
      lock.noteSettled(confirmMs)
    } else if (word?.verdict === 'undo') return failure(word.why)
    else if (word && !(reconnect && word.by === 'this session')) return undefined
    else if (word) wire.send({ type: 'refused', refusal: { kind: 'error', message: NEEDS_NEW } })
  }
  const over = reconnect ? ' over a new connection' : ''
  return failure(`it was not confirmed${over} within ${confirmMs / 1000} s`)
}

/** Why it is to be undone, where somebody said so; between two steps, and while one takes its time. */
export function withdrawn({ machine, wire }: Agent, id: DeploymentId): string | undefined {
  if (machine.terminated()) return TERMINATED
  const next = wire.next(0)
  if (typeof next === 'object' && next.type === 'undo' && next.id === id) return next.why
  const verdict = readVerdict(machine.files, id)
  return verdict?.verdict === 'undo' ? verdict.why : undefined
}

export const TERMINATED = 'the agent was told to end'

/** How often the agent looks for a verdict that another session left, in milliseconds. */
const VERDICT_POLL_MS = 50

type Word = 'wait' | (Verdict & { readonly by: 'this session' | 'another' })

/** The next word on this deployment; undefined when there was none for a moment. */
function hear({ machine, wire }: Agent, id: DeploymentId): Word | undefined {
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
