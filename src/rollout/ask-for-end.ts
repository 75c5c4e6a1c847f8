import type { Connection } from '../remote/transport.ts'
import type { HostEnd } from './events.ts'
import { endByAsking } from './host-end.ts'
import { reachAgain } from './reach-again.ts'
import type { HostJob, Run } from './run.ts'
import type { Verdict } from './verdict.ts'

interface Lost {
  /** Why its connection was lost. */
  readonly why: string
  readonly verdict: Verdict
  /** Closing the connection has it made once more, so that the host hears of another verdict. */
  readonly onConnect: (connection: Connection) => void
}

/** After a lost connection, the agent goes on alone: a new session tells it the verdict, and learns how it ended. */
export async function askForEnd(
  { id, connections, policy, ticks }: Run,
  { plan: { host, from } }: HostJob,
  { why, verdict, onConnect }: Lost,
): Promise<HostEnd> {
  const deadline = ticks() + policy.confirmMs + UNDO_MS
  let since = ''
  const attempts = {
    connect: (signal: AbortSignal) => connections.connectFresh(host, signal),
    left: () => deadline - ticks(),
    signal: new AbortController().signal,
    failed: (reason: string) => {
      since = `; since then: ${reason}`
    },
  }
  const end = await reachAgain(attempts, async (session, connection) => {
    onConnect(connection)
    await session.send(verdict.request(id, why))
    return endByAsking(await session.next(), session.hello, from)
  })
  return end ?? { kind: 'unknown', why: why + since }
}

/** How long a host that was not confirmed may take to undo before we stop asking, in milliseconds. */
const UNDO_MS = 10_000
