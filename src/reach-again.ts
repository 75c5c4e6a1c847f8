/** Reaching a host anew, as often as it takes. */
import { pause } from './pause.ts'
import { openSession, type Session } from './remote/session.ts'
import type { Connection } from './remote/transport.ts'

export interface Attempts {
  connect(signal: AbortSignal): Promise<Connection>
  /** How much time is left, in milliseconds; 0 where nobody wants it any more. */
  left(): number
  failed?(why: string): void
}

/** What `use` makes of the first session that it gets to the end with; undefined when the time is over. */
export async function reachAgain<T>(
  { connect, left, failed }: Attempts,
  use: (session: Session, connection: Connection) => T | Promise<T>,
): Promise<T | undefined> {
  for (; left() > 0; await pause(RETRY_MS)) {
    let connection: Connection | undefined
    try {
      connection = await connect(AbortSignal.timeout(Math.ceil(left())))
      return await use(await openSession(connection), connection)
    } catch (error) {
      // The next try; the deadline ends them, and whoever asked says so.
      connection?.close()
      failed?.(error instanceof Error ? error.message : String(error))
    }
  }
  return undefined
}

const RETRY_MS = 500
