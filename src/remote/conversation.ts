/** Requests out and replies in over one channel, at the same time and each with backpressure. */
import { decodeReplyBytes, encodeMessage } from '../protocol/codec.ts'
import { ProtocolError } from '../protocol/decoders.ts'
import { encodeFrame, FrameReader, MAGIC } from '../protocol/frame.ts'
import type { Reply, Request } from '../protocol/messages.ts'
import { lastLine, printable } from './clean.ts'
import { noise } from './noise.ts'
import { SUDO_FINDS_NOTHING, sudoTrouble } from './sudo.ts'
import { type Channel, type Connection, type Exit, HostError } from './transport.ts'

/** The requests that open a conversation. */
export type Flight = () => AsyncIterable<Request> | Iterable<Request>

export type First =
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** There is no agent to talk to, and installing one is the remedy. */
  | { readonly kind: 'absent'; readonly why: string }
  /** It ended before it said a word, and `error` tells how. */
  | { readonly kind: 'silent'; readonly error: unknown }

export class Conversation {
  private readonly connection: Connection
  private readonly channel: Channel
  private readonly chunks: AsyncIterator<Uint8Array>
  private readonly frames = new FrameReader()
  private readonly waiting: Uint8Array[] = []
  /** What came before the magic was complete; undefined from then on. */
  private preamble: Uint8Array | undefined = new Uint8Array()
  /** A read that a timeout left behind, for the next caller. */
  private reading: Promise<IteratorResult<Uint8Array>> | undefined
  private sending: Promise<void>
  private broken: unknown
  private closed = false
  private over = false

  /** Starts sending at once. */
  constructor(connection: Connection, channel: Channel, flight: Flight) {
    this.connection = connection
    this.channel = channel
    this.chunks = channel.stdout[Symbol.asyncIterator]()
    this.sending = this.sendAll(flight)
  }

  async first(timeoutMs: number): Promise<First> {
    const frame = await this.frame(timeoutMs)
    if (frame) return { kind: 'reply', reply: this.decode(frame) }
    const exit = await this.channel.exit
    if (exit.kind === 'lost' || this.broken !== undefined || this.preamble?.length !== 0)
      throw this.ended(exit)
    const why = missing(exit, this.channel.stderr())
    return why === undefined ? { kind: 'silent', error: this.ended(exit) } : { kind: 'absent', why }
  }

  async next(timeoutMs?: number): Promise<Reply> {
    const frame = await this.frame(timeoutMs)
    // What the agent says to a flight that broke off is not what became of it.
    if (frame && this.broken === undefined) return this.decode(frame)
    if (frame) await this.toTheEnd()
    throw this.ended(await this.channel.exit)
  }

  send(request: Request): Promise<void> {
    this.sending = this.sending.then(() => this.write(request))
    return this.sending
  }

  /** Reads ahead, for the next caller: that a connection has broken is heard only by who reads. */
  listen(): void {
    const over = () => {
      this.over = true
    }
    this.reading ??= this.chunks.next()
    this.reading.then(({ done }) => done && over(), over)
  }

  isOver(): boolean {
    return this.over
  }

  close(): void {
    this.closed = true
    this.channel.end()
  }

  /** ssh2 tells of no exit before everything is read. An agent whose input has ended is given a while to end, too. */
  private async toTheEnd(): Promise<void> {
    try {
      while (await this.frame(FAREWELL_MS)) {
        // Nobody asked for it.
      }
    } catch {
      // Whatever it said: the flight that broke off is the cause.
      throw this.broken
    }
  }

  private async sendAll(flight: Flight): Promise<void> {
    try {
      for await (const request of flight()) {
        if (this.closed) return
        await this.write(request)
      }
    } catch (error) {
      // The agent sees the end of its input, stops, and next() then tells this instead of that.
      this.broken = error
      this.close()
    }
  }

  private async write(request: Request): Promise<void> {
    if (!this.closed) await this.channel.write(encodeFrame(encodeMessage(request)))
  }

  /** undefined at the end of what the agent says. */
  private async frame(timeoutMs?: number): Promise<Uint8Array | undefined> {
    const deadline = deadlineIn(timeoutMs)
    try {
      for (;;) {
        const frame = this.waiting.shift()
        if (frame) return frame
        const { done, value } = await this.read(deadline.over)
        if (done) return undefined
        this.take(value)
      }
    } finally {
      deadline.cancel()
    }
  }

  private async read(timeout: Promise<'timeout'>): Promise<IteratorResult<Uint8Array>> {
    this.reading ??= this.chunks.next()
    const result = await Promise.race([this.reading, timeout])
    if (result === 'timeout') {
      const words = this.preamble ? lastLine(this.channel.stderr()) : ''
      const why = words === '' ? '' : `: ${words}`
      throw this.error('lost', `the agent did not answer in time${why}`, this.inTheWay())
    }
    this.reading = undefined
    return result
  }

  private take(chunk: Uint8Array): void {
    try {
      const body = this.afterMagic(chunk)
      if (body) this.waiting.push(...this.frames.push(body))
    } catch (error) {
      throw this.asHostError(error)
    }
  }

  private decode(frame: Uint8Array): Reply {
    try {
      return decodeReplyBytes(frame)
    } catch (error) {
      throw this.asHostError(error)
    }
  }

  /** What of a chunk belongs to frames. Throws as soon as it is clear that no magic will come. */
  private afterMagic(chunk: Uint8Array): Uint8Array | undefined {
    if (!this.preamble) return chunk
    this.preamble = Buffer.concat([this.preamble, chunk])
    const length = Math.min(this.preamble.length, MAGIC.length)
    if (Buffer.compare(this.preamble.subarray(0, length), MAGIC.subarray(0, length)) !== 0) {
      throw noise(this.connection.host, this.connection.user, Buffer.from(this.preamble).toString('utf8'))
    }
    if (length < MAGIC.length) return undefined
    const rest = this.preamble.subarray(length)
    this.preamble = undefined
    return rest
  }

  private asHostError(error: unknown): unknown {
    if (!(error instanceof ProtocolError)) return error
    return this.error('protocol', `cannot understand the agent: ${printable(error.message)}`)
  }

  private ended(exit: Exit): unknown {
    if (this.broken !== undefined) return this.broken
    const { host, user } = this.connection
    const words = lastLine(this.channel.stderr())
    if (exit.kind === 'lost')
      return this.error('lost', `lost the connection: ${exit.why || 'no reason given'}`)
    if (this.preamble?.length) return noise(host, user, Buffer.from(this.preamble).toString('utf8'))
    const how = exit.kind === 'signalled' ? `signal ${printable(exit.signal)}` : `exit code ${exit.code}`
    const what = this.preamble ? 'the agent did not start' : 'the agent ended unexpectedly'
    const hint = words === '' ? this.inTheWay() : undefined
    return (
      sudoTrouble(host, user, exit, this.channel.stderr()) ??
      this.error('lost', `${what}, ${how}${words === '' ? '' : `: ${words}`}`, hint)
    )
  }

  /** What may stand between us and an agent that never said a word. */
  private inTheWay(): string | undefined {
    if (!this.preamble) return undefined
    const { host, user } = this.connection
    return `a start-up file of '${user}' that ends or replaces the shell, or a forced command (ForceCommand, or command= for the key), keeps the agent from starting: 'ssh ${host} echo works' must print 'works'`
  }

  private error(kind: 'lost' | 'protocol', message: string, hint?: string): HostError {
    return new HostError(this.connection.host, kind, message, hint)
  }
}

const FAREWELL_MS = 5000

/** Why a program did not start, where putting it there may help. */
function missing(exit: Exit, stderr: string): string | undefined {
  if (exit.kind !== 'exited') return undefined
  // POSIX, 2.8.2: 127 where a shell finds no such program, 126 where it cannot be executed.
  const absent = exit.code === 127 || exit.code === 126 || SUDO_FINDS_NOTHING.test(stderr)
  return absent ? lastLine(stderr) || `exit code ${exit.code}` : undefined
}

/** A timer, because somebody may set the clock meanwhile. Never over where no time is given. */
function deadlineIn(ms: number | undefined): { readonly over: Promise<'timeout'>; cancel(): void } {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<'timeout'>(resolve => {
    if (ms !== undefined) timer = setTimeout(resolve, ms, 'timeout')
  })
  return { over, cancel: () => clearTimeout(timer) }
}
