import type { InProgress } from '../src/protocol/messages.ts'
import type { Agent } from './agent.ts'
import { JOURNAL } from './host/paths.ts'

/**
 * The deployment that another session is carrying out: there is a journal, and this session, which began by finishing
 * what nobody works on any more, has not got the lock.
 */
export function inProgressElsewhere({ machine, lock }: Pick<Agent, 'machine' | 'lock'>): InProgress | null {
  return machine.files.stat(JOURNAL) && !lock.held ? lock.inProgress() : null
}
