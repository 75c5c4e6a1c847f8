import type { Oid } from '../plan/names.ts'
import type { InProgress } from '../protocol/messages.ts'
import { assertName } from './fetch.ts'
import { unexpected } from './refused.ts'
import { openSession, type Session } from './session.ts'
import type { Connection } from './transport.ts'

interface Pong {
  readonly version: string
  /** Whether the agent had to be put there first. */
  readonly installed: boolean
  readonly current: Oid | null
  readonly inProgress: InProgress | null
  /** By how much this clock is ahead of the host's, in milliseconds. */
  readonly aheadMs: number
  readonly rtt: RoundTrips
}

/** Over the open connection, in milliseconds. */
interface RoundTrips {
  readonly min: number
  readonly median: number
  readonly p95: number
}

/** How long a host may take to answer, in milliseconds. */
const ANSWER_MS = 30_000

/** Enough for a 95th percentile, but no longer than a person likes to wait. */
const ROUNDS = 20
const PATIENCE_MS = 1000

/** Rejects with HostError. The caller closes the connection. */
export async function ping(connection: Connection, ticks: () => number): Promise<Pong> {
  const session = await openSession(connection)
  try {
    assertName(connection, session)
    const { installed, hello, aheadMs } = session
    const { version, current, pending: inProgress } = hello
    const rtt = await measure(connection, session, ticks)
    return { version, installed, current, inProgress, aheadMs, rtt }
  } finally {
    session.close()
  }
}

async function measure(connection: Connection, session: Session, ticks: () => number): Promise<RoundTrips> {
  const times: number[] = []
  const until = ticks() + PATIENCE_MS
  while (times.length === 0 || (times.length < ROUNDS && ticks() < until)) {
    const started = ticks()
    await session.send({ type: 'ping' })
    const reply = await session.next(ANSWER_MS)
    if (reply.type !== 'pong') throw unexpected(connection, 'ping', reply)
    times.push(ticks() - started)
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.ceil(times.length * share) - 1]!
  return { min: times[0]!, median: at(0.5), p95: at(0.95) }
}
