import { decodeRequestBytes, encodeMessage } from '../src/protocol/codec.ts'
import { ProtocolError } from '../src/protocol/decoders.ts'
import { encodeFrame, FrameReader, MAGIC } from '../src/protocol/frame.ts'
import type { Reply, Request } from '../src/protocol/messages.ts'
import type { Machine } from './host/machine.ts'

export class Wire {
  private readonly machine: Machine
  private readonly reader = new FrameReader()
  private readonly waiting: Uint8Array[] = []
  private returned: Request | undefined
  private ended = false
  /** How the operator's side broke the protocol: nothing more is read from it. */
  broken: string | undefined

  constructor(machine: Machine) {
    this.machine = machine
    machine.write(MAGIC)
  }

  /**
   * Waits until there is room for it. false, for good, once the operator's side has gone: it can ask for the outcome
   * later.
   */
  send(reply: Reply): boolean {
    return this.machine.write(encodeFrame(encodeMessage(reply)))
  }

  /**
   * The next request; 'timeout' if none arrives within `ms`; 'end', for good, once the operator's side has gone or has
   * `broken` the protocol.
   */
  next(ms: number): Request | 'timeout' | 'end' {
    const { returned } = this
    this.returned = undefined
    if (returned) return returned
    try {
      return this.receive(ms)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.broken = error.message
      this.ended = true
      return 'end'
    }
  }

  /** Whether the operator's side has gone, or wants an undo. next() still gives what it has said. */
  withdrawn(): boolean {
    const next = this.next(0)
    if (typeof next === 'object') this.returned = next
    return next === 'end' || (typeof next === 'object' && next.type === 'undo')
  }

  private receive(ms: number): Request | 'timeout' | 'end' {
    const until = this.machine.ticks() + ms
    for (;;) {
      const frame = this.waiting.shift()
      if (frame) return decodeRequestBytes(frame)
      if (this.ended) return 'end'
      const read = this.machine.input.read(Math.max(0, until - this.machine.ticks()))
      if (read === 'timeout') return 'timeout'
      if (read === 'end') this.ended = true
      else this.waiting.push(...this.reader.push(read))
    }
  }
}
