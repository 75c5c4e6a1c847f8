import type { Refusal, Reply, Request } from '../protocol/messages.ts'
import { printable } from './clean.ts'
import { type Connection, HostError } from './transport.ts'

/** What an agent says that answers no question of this session: another build has to finish something first. */
export function standsInTheWay(connection: Connection, reply: Reply): HostError | undefined {
  if (reply.type !== 'refused' || reply.refusal.kind !== 'preflight') return undefined
  const { what, hint } = wordsOf(reply.refusal)
  return new HostError(connection.host, 'refused', what, hint)
}

/** For a reply that no answer to the request has. */
export function unexpected(connection: Connection, request: Request['type'], reply: Reply): HostError {
  const what = `the agent answered '${request}' with an unexpected '${reply.type}'`
  return standsInTheWay(connection, reply) ?? new HostError(connection.host, 'protocol', what)
}

function wordsOf({ problems }: Extract<Refusal, { kind: 'preflight' }>): { what: string; hint?: string } {
  const hint = problems.find(({ hint }) => hint !== null)?.hint
  const what = problems.map(({ what }) => printable(what)).join('; ')
  return typeof hint === 'string' ? { what, hint: printable(hint) } : { what }
}
