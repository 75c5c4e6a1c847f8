import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Owner } from '../hosts/boot.ts'

/** Puts a network, with its delays and failures, between this machine and a test host. Ends with its owner. */
export async function startRelay(owner: Owner, to: Target, { roundTripMs = 0 } = {}): Promise<Relay> {
  const relay = new Relay(to, roundTripMs)
  await relay.listen()
  owner.after(() => relay.close())
  return relay
}

export interface Target {
  readonly address: string
  readonly port: number
}

export class Relay implements Target {
  readonly address = '127.0.0.1'
  /** Bytes sent to the host and received from it, by all connections. */
  sent = 0
  received = 0
  connections = 0
  readonly #to: Target
  readonly #oneWayMs: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #lines = new Set<Line>()
  #piece = Number.POSITIVE_INFINITY
  #frozen = false
  #refusing = false
  #holding = false

  constructor(to: Target, roundTripMs: number) {
    this.#to = to
    this.#oneWayMs = roundTripMs / 2
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, socket => this.#accept(socket))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async listen(): Promise<void> {
    this.#server.listen(0, this.address)
    await once(this.#server, 'listening')
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** Resets every open connection. New ones are accepted. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** Resets every connection, the open ones and all to come. */
  refuse(): void {
    this.#refusing = true
    this.cut()
  }

  accept(): void {
    this.#refusing = false
  }

  /** Takes new connections from now on, and says nothing on them. */
  hold(): void {
    this.#holding = true
  }

  /** The connections that are open; new ones are as quick as before. */
  slowDown(roundTripMs: number): void {
    for (const line of this.#lines) line.oneWayMs = roundTripMs / 2
  }

  /** From now on no more than so many bytes a second come through in either direction, a few at a time. */
  trickle(bytesPerSecond: number): void {
    this.#piece = Math.max(1, Math.round((bytesPerSecond * PIECE_MS) / 1000))
  }

  /** Holds back all bytes: what a network that drops packets looks like from both ends. */
  freeze(): void {
    this.#frozen = true
    for (const socket of this.#sockets) socket.pause()
  }

  thaw(): void {
    this.#frozen = false
    for (const socket of this.#sockets) socket.resume()
  }

  #accept(near: Socket): void {
    if (this.#refusing) {
      near.resetAndDestroy()
      return
    }
    this.connections++
    this.#sockets.add(near)
    if (this.#holding) return
    const far = connect({ host: this.#to.address, port: this.#to.port, allowHalfOpen: true, noDelay: true })
    const line = { oneWayMs: this.#oneWayMs }
    this.#lines.add(line)
    near.on('close', () => this.#lines.delete(line))
    this.#carry(line, near, far, bytes => {
      this.sent += bytes
    })
    this.#carry(line, far, near, bytes => {
      this.received += bytes
    })
  }

  #carry(line: Line, from: Socket, to: Socket, count: (bytes: number) => void): void {
    const later = (deliver: () => void) =>
      line.oneWayMs === 0 ? deliver() : setTimeout(deliver, line.oneWayMs)
    this.#sockets.add(from)
    if (this.#frozen) from.pause()
    from.on('data', data => {
      count(data.length)
      if (data.length <= this.#piece) later(() => to.write(data))
      else this.#piecemeal(data, from, to)
    })
    from.on('end', () => later(() => to.end()))
    from.on('error', () => to.resetAndDestroy())
    from.on('close', () => this.#sockets.delete(from))
  }

  #piecemeal(data: Buffer, from: Socket, to: Socket): void {
    from.pause()
    let at = 0
    const timer = setInterval(() => {
      to.write(data.subarray(at, at + this.#piece))
      at += this.#piece
      if (at < data.length && !from.destroyed) return
      clearInterval(timer)
      from.resume()
    }, PIECE_MS)
  }
}

const PIECE_MS = 10

/** Timers of one duration fire in the order in which they were set, so bytes stay in theirs; longer ones fire later. */
interface Line {
  oneWayMs: number
}
