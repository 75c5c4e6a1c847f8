/** A way to run programs on a host: what ssh2 and the ssh program both give, and what installing the agent needs. */
import type { HostName } from '../plan/names.ts'
import type { Channel } from './transport.ts'

export interface Shell {
  readonly host: HostName
  /** Who programs run as there. */
  readonly user: string
  /**
   * Hands a command line to the user's login shell there; it must hold nothing that a user chose. Resolves when it is
   * on its way, not when it runs. Rejects with HostError.
   */
  run(command: string): Promise<Channel>
  close(): void
}
