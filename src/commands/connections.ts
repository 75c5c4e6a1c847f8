/** The ways to the hosts of one command: made ahead while the operator reads, then taken. */
import type { HostName } from '../plan/names.ts'
import type { Connection } from '../remote/transport.ts'

/** Opens a connection. `mayAsk`: whether a question may be put to the operator on the way; `signal` gives it up. */
export type Connect = (host: HostName, mayAsk: boolean, signal?: AbortSignal) => Promise<Connection>

interface Ahead {
  readonly connection: Promise<Connection>
  readonly giveUp: AbortController
}

export class Connections {
  readonly #connect: Connect
  readonly #ahead = new Map<HostName, Ahead>()
  /** Hosts that there is, or was, a connection to. */
  readonly #called = new Set<HostName>()
  #closed = false

  constructor(connect: Connect) {
    this.#connect = connect
  }

  /** Begins connecting in the background: nothing is locked, nothing is written, nothing is asked. */
  warm(hosts: readonly HostName[]): void {
    for (const host of hosts) {
      if (this.#closed || this.#called.has(host)) continue
      this.#called.add(host)
      const giveUp = new AbortController()
      const connection = this.#connect(host, false, giveUp.signal)
      this.#ahead.set(host, { connection, giveUp })
      connection.then(
        opened => this.#closed && opened.close(),
        // Tried again, with questions allowed, once the operator has agreed to the plan.
        () => this.#ahead.delete(host),
      )
    }
  }

  /** The connection made ahead, or a new one. Whoever takes it closes it. Rejects with HostError. */
  async take(host: HostName): Promise<Connection> {
    this.#called.add(host)
    const ahead = this.#ahead.get(host)
    this.#ahead.delete(host)
    try {
      if (ahead) return await ahead.connection
    } catch {
      // Tried again below, and then the error is the operator's to see.
    }
    return this.#connect(host, true)
  }

  /** Closes what was made ahead and never taken, and gives up what is still being made. */
  close(): void {
    this.#closed = true
    for (const { connection, giveUp } of this.#ahead.values()) {
      giveUp.abort()
      connection.then(
        opened => opened.close(),
        () => {
          // It never opened.
        },
      )
    }
  }
}
