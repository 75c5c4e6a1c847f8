/**
 * The operator's decision on a deployment in progress, from another session: it is left in a file, because the session
 * that began the deployment may have been cut off.
 */
import { decodeUtf8 } from '../src/plan/bytes.ts'
import type { DeploymentId } from '../src/plan/deployment-id.ts'
import type { Reply, Request } from '../src/protocol/messages.ts'
import type { Agent } from './agent.ts'
import { writeDurably } from './host/files.ts'
import type { Holder } from './host/lock.ts'
import type { Files } from './host/machine.ts'
import { VERDICT } from './host/paths.ts'
import { sshConnection } from './host/ssh-connection.ts'
import { recover } from './recover.ts'
import { findOutcome } from './store/outcomes.ts'

export interface Verdict {
  readonly id: DeploymentId
  readonly verdict: 'confirm' | 'undo'
  readonly why: string
}

/** The old connection may still work where a new one does not. */
export const NEEDS_NEW = 'this deployment must be confirmed over a new connection'

const POLL_MS = 20

export function readVerdict(files: Files, id: DeploymentId): Verdict | undefined {
  const raw = files.read(VERDICT)
  if (raw === undefined) return undefined
  try {
    const verdict = JSON.parse(decodeUtf8(raw) ?? '') as Verdict
    const known = verdict.verdict === 'confirm' || verdict.verdict === 'undo'
    return verdict.id === id && known ? { ...verdict, why: String(verdict.why) } : undefined
  } catch {
    return undefined
  }
}

/** Answers 'confirm', 'undo' and 'ask' in a session of their own, once the deployment has ended. */
export function answerAbout(
  agent: Agent,
  request: Extract<Request, { type: 'confirm' | 'undo' | 'ask' }>,
): Reply {
  const { machine, lock } = agent
  const { id } = request
  const connection = sshConnection(machine.files)
  let delivered = request.type === 'ask'
  for (;;) {
    if (lock.take()) recover(agent)
    const holder = lock.held ? undefined : lock.holder()
    // Looked up after the lock: its holder records the outcome before releasing it.
    const record = findOutcome(machine.files, id)
    if (record) return { type: 'outcome', id, outcome: record.outcome, why: record.why }
    if (lock.held || (holder && holder.id !== id)) return { type: 'outcome', id, outcome: 'unknown', why: '' }
    if (request.type === 'confirm' && isOld(holder, connection))
      return { type: 'refused', refusal: { kind: 'error', message: NEEDS_NEW } }
    if (!delivered && request.type !== 'ask') {
      const verdict: Verdict = { id, verdict: request.type, why: request.type === 'undo' ? request.why : '' }
      writeDurably(machine.files, VERDICT, JSON.stringify(verdict), 0o600)
      delivered = true
    }
    machine.sleep(POLL_MS)
  }
}

/** Whether this is only another channel of the connection that a new one has to replace. */
function isOld(holder: Holder | undefined, connection: string | undefined): boolean {
  return holder?.connection !== undefined && holder.connection === connection
}
