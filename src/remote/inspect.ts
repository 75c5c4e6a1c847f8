/** Asking hosts whether they still are as they were deployed: what `verify` shows and `--repair` puts right. */
import { inParallel } from '../in-parallel.ts'
import type { Inspected } from '../inspected.ts'
import type { HostName } from '../plan/names.ts'
import { standsInTheWay } from './refused.ts'
import { openSession } from './session.ts'
import { type Connection, HostError } from './transport.ts'

interface Inspection {
  readonly hosts: readonly HostName[]
  /** At most so many are asked at a time. */
  readonly parallel: number
  connect(host: HostName): Promise<Connection>
}

/** Hashing takes a slow machine its time, and a host of many files has many. */
const ANSWER_MS = 120_000

/** What each host says, in the order of `hosts`. Never rejects for what a host does. */
export function inspect({ hosts, parallel, connect }: Inspection): Promise<Inspected[]> {
  return inParallel(hosts, parallel, host => inspectHost(host, connect))
}

async function inspectHost(host: HostName, connect: Inspection['connect']): Promise<Inspected> {
  let connection: Connection | undefined
  try {
    connection = await connect(host)
    const session = await openSession(connection, { flight: () => [{ type: 'verify' }] })
    const reply = await session.next(ANSWER_MS)
    session.close()
    const { hello, aheadMs } = session
    if (hello.hostname !== host) return unreachable(host, `the host calls itself '${hello.hostname}'`)
    if (reply.type === 'verified') return { host, kind: 'asked', hello, verified: reply, aheadMs }
    const inTheWay = standsInTheWay(connection, reply)
    if (inTheWay) throw inTheWay
    const why =
      reply.type === 'refused' && reply.refusal.kind === 'error' ? reply.refusal.message : reply.type
    return unreachable(host, `the agent cannot verify the host: ${why}`)
  } catch (error) {
    const hint = error instanceof HostError ? (error.hint ?? null) : null
    return unreachable(host, error instanceof Error ? error.message : String(error), hint)
  } finally {
    connection?.close()
  }
}

function unreachable(host: HostName, message: string, hint: string | null = null): Inspected {
  return { host, kind: 'unreachable', message, hint }
}
