/** The ways to the hosts of one command: made ahead while the operator reads, then taken. */
import { setMaxListeners } from 'node:events'
import { inParallel } from '../in-parallel.ts'
import type { HostName } from '../plan/names.ts'
import { type Connection, HostError } from './transport.ts'

/** Opens a connection. `mayAsk`: whether a question may be put to the operator on the way. */
export type Connect = (
  host: HostName,
  mayAsk: boolean,
  options?: { readonly fresh?: boolean; readonly signal?: AbortSignal },
) => Promise<Connection>

export class Connections {
  readonly #connect: Connect
  readonly #ahead = new Map<HostName, Promise<Connection>>()
  /** Hosts that there is, or was, a connection to. */
  readonly #called = new Set<HostName>()
  readonly #leaving = new AbortController()
  /** From then on whoever takes connections says how many at a time. */
  #taking = false

  constructor(connect: Connect) {
    this.#connect = connect
    // One listener for each host under way: node takes more than ten for a leak, and says so on the terminal.
    setMaxListeners(0, this.#leaving.signal)
  }

  /** Begins connecting in the background, to so many hosts at a time: nothing is locked, written or asked. */
  warm(hosts: readonly HostName[], parallel: number): void {
    void inParallel(hosts, parallel, host => this.#call(host))
  }

  /** The connection made ahead, or a new one. Whoever takes it closes it. Rejects with HostError. */
  async take(host: HostName): Promise<Connection> {
    this.#taking = true
    this.#called.add(host)
    const ahead = this.#ahead.get(host)
    this.#ahead.delete(host)
    try {
      if (ahead) return await ahead
    } catch (error) {
      // The host has just not answered: it would not answer a question either.
      if (error instanceof HostError && error.kind === 'unreachable') throw error
      // Anything else is tried again below, and then the error is the operator's to see.
    }
    return this.#connect(host, true, { signal: this.#leaving.signal })
  }

  /** A connection that shares nothing with any other. Asks nothing: the host is known by now. */
  connectFresh(host: HostName, signal: AbortSignal): Promise<Connection> {
    return this.#connect(host, false, {
      fresh: true,
      signal: AbortSignal.any([signal, this.#leaving.signal]),
    })
  }

  /** Gives up connecting, and closes what was made ahead and never taken. */
  close(): void {
    this.#leaving.abort()
    for (const connection of this.#ahead.values())
      connection.then(
        opened => opened.close(),
        () => {
          // It never opened.
        },
      )
  }

  /** Never rejects. */
  async #call(host: HostName): Promise<void> {
    if (this.#leaving.signal.aborted || this.#taking || this.#called.has(host)) return
    this.#called.add(host)
    const connection = this.#connect(host, false, { signal: this.#leaving.signal })
    this.#ahead.set(host, connection)
    await connection.then(
      opened => this.#leaving.signal.aborted && opened.close(),
      // Tried again, with questions allowed, once the operator has agreed to the plan.
      () => this.#ahead.delete(host),
    )
  }
}
