import type { Refusal, Reply } from '../protocol/messages.ts'
import { printable } from './clean.ts'
import { type Connection, HostError } from './transport.ts'

/** What an agent says that answers no question of this session: another build has to finish something first. */
export function standsInTheWay(connection: Connection, reply: Reply): HostError | undefined {
  if (reply.type !== 'refused' || reply.refusal.kind !== 'preflight') return undefined
  const { what, hint } = wordsOf(reply.refusal)
  return new HostError(connection.host, 'refused', what, hint)
}

function wordsOf({ problems }: Extract<Refusal, { kind: 'preflight' }>): { what: string; hint?: string } {
  const hint = problems.find(({ hint }) => hint !== null)?.hint
  const what = problems.map(({ what }) => printable(what)).join('; ')
  return typeof hint === 'string' ? { what, hint: printable(hint) } : { what }
}
