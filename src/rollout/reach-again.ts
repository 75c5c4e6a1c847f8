/** Connecting to a host again, as often as it takes. */
import { openSession, type Session } from '../remote/session.ts'
import type { Connection } from '../remote/transport.ts'
import { pause } from './pause.ts'

interface Attempts {
  connect(signal: AbortSignal): Promise<Connection>
  /** How much time is left, in milliseconds. */
  left(): number
  /** Aborted when it is no longer needed. */
  readonly signal: AbortSignal
  failed(why: string): void
}

/** The result of the first `use` of a session that succeeds; undefined when the time has run out. */
export async function reachAgain<T>(
  { connect, left, signal, failed }: Attempts,
  use: (session: Session, connection: Connection) => T | Promise<T>,
): Promise<T | undefined> {
  for (; left() > 0 && !signal.aborted; await pause(RETRY_MS, signal)) {
    let connection: Connection | undefined
    const close = () => connection?.close()
    signal.addEventListener('abort', close)
    try {
      connection = await connect(AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(left()))]))
      return await use(await openSession(connection), connection)
    } catch (error) {
      // Tried again until the deadline, which the caller reports.
      close()
      if (!signal.aborted) failed(error instanceof Error ? error.message : String(error))
    } finally {
      signal.removeEventListener('abort', close)
    }
  }
  return undefined
}

const RETRY_MS = 500
