import type { Oid } from '../plan/names.ts'
import type { Pending } from '../protocol/messages.ts'
import { assertName } from './fetch.ts'
import { openSession } from './session.ts'
import { type Connection, HostError } from './transport.ts'

export interface Pong {
  readonly version: string
  /** Whether the agent had to be put there first. */
  readonly installed: boolean
  readonly current: Oid | null
  readonly pending: Pending | null
  /** The round trip over the open connection, in milliseconds. */
  readonly ms: number
}

/** How long a host may take to answer, in milliseconds. */
const ANSWER_MS = 30_000

/** Rejects with HostError. The caller closes the connection. */
export async function ping(connection: Connection, ticks: () => number): Promise<Pong> {
  const session = await openSession(connection)
  try {
    assertName(connection, session)
    const { hello, installed } = session
    const started = ticks()
    await session.send({ type: 'ping' })
    const reply = await session.next(ANSWER_MS)
    if (reply.type !== 'pong')
      throw new HostError(connection.host, 'protocol', `the agent answers 'ping' with '${reply.type}'`)
    const { version, current, pending } = hello
    return { version, installed, current, pending, ms: ticks() - started }
  } finally {
    session.close()
  }
}
