import type { InProgress } from '../src/protocol/messages.ts'
import type { Agent } from './agent.ts'
import { JOURNAL } from './host/paths.ts'

/**
 * The deployment in progress, if there is one: there is a journal, and this session does not have the lock. A journal
 * that a killed agent had left, this session has finished by now.
 */
export function inProgressElsewhere({ machine, lock }: Pick<Agent, 'machine' | 'lock'>): InProgress | null {
  return machine.files.stat(JOURNAL) && !lock.held ? lock.inProgress() : null
}
