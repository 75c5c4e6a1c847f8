/** Queueing behind another deployment. */
import type { InProgress } from '../protocol/messages.ts'
import { openSession } from '../remote/session.ts'
import type { Connection } from '../remote/transport.ts'
import { pause } from './pause.ts'

/**
 * Asks the host, less and less often, until no deployment is in progress there or no time is `left`. 'lost' if it could
 * not be asked. Shows each deployment that it finds.
 */
export async function untilFree(
  connection: Connection,
  left: () => number,
  signal: AbortSignal,
  show: (other: InProgress) => void,
): Promise<'over' | 'lost'> {
  for (let ms = FIRST_MS; left() > 0 && !signal.aborted; ms = Math.min(ms * 1.5, LAST_MS)) {
    await pause(Math.min(ms, left()), signal)
    try {
      const session = await openSession(connection)
      session.close()
      if (!session.hello.pending) break
      show(session.hello.pending)
    } catch {
      return 'lost'
    }
  }
  return 'over'
}

const FIRST_MS = 200
const LAST_MS = 2000
