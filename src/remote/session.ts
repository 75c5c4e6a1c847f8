/**
 * A conversation with the agent of one host. It is started on the assumption that it is there: only where it turns
 * out not to be, it is installed over the same connection and everything is said again.
 */
import type { Hello, Reply, Request } from '../protocol/messages.ts'
import { lastLine, printable } from './clean.ts'
import { Conversation, type First, type Flight } from './conversation.ts'
import { type Connection, HostError } from './transport.ts'

export interface Session {
  readonly hello: Hello
  /** By how much this clock is ahead of the host's, in milliseconds: negative where it is behind. */
  readonly aheadMs: number
  /** Whether the agent had to be put on the host first. */
  readonly installed: boolean
  /** Resolves when more may be sent. A connection that breaks is told by next(), not here. */
  send(request: Request): Promise<void>
  /**
   * The next reply; one call at a time. Rejects with HostError: 'lost' when the connection broke, the agent died or
   * nothing came in time (by default it waits for ever), 'protocol' when what came is not understood.
   */
  next(timeoutMs?: number): Promise<Reply>
  /** Begins to listen for the end of the connection, while nothing is to be said. */
  listen(): void
  /** Whether it was heard that the connection, or the agent, is gone: next() tells why. */
  isOver(): boolean
  /** Hangs up, at once; the agent carries on as the protocol says. The connection stays open. */
  close(): void
}

interface SessionOptions {
  /** What is sent without waiting for the greeting. Called again where the agent had to be installed. */
  readonly flight?: Flight
  /** How long the greeting may take. An agent that finds an unfinished deployment undoes it before it greets. */
  readonly helloMs?: number
  /** The agent is not there, and is about to be sent: a slow line takes a while for that. */
  readonly onInstall?: () => void
}

/** Rejects with HostError; nothing is left running then. The caller closes the connection. */
export async function openSession(connection: Connection, options: SessionOptions = {}): Promise<Session> {
  const first = await greet(connection, options).catch(async error => {
    if (!isLost(error) || !(await connection.renew?.())) throw error
    return greet(connection, options)
  })
  if (first.kind === 'ready') return sessionOf(first, false)
  if (first.kind === 'silent' && !(await connection.isAgentDamaged())) throw first.error
  options.onInstall?.()
  await connection.installAgent()
  const second = await greet(connection, options)
  if (second.kind === 'ready') return sessionOf(second, true)
  if (second.kind === 'silent') throw second.error
  throw new HostError(connection.host, 'install', `cannot start the newly installed agent: ${second.why}`)
}

function isLost(error: unknown): boolean {
  return error instanceof HostError && error.kind === 'lost'
}

type Greeted =
  | {
      readonly kind: 'ready'
      readonly hello: Hello
      readonly aheadMs: number
      readonly conversation: Conversation
    }
  | Exclude<First, { kind: 'reply' }>

/** systemd gives a unit 90 s to stop or to start, and the undo of a killed agent may wait for one. */
const HELLO_MS = 150_000

/** In milliseconds. An agent greets within a few; a login shell that never ends, or an undo, takes longer. */
const SLOW_MS = 10_000

async function tellingSlow<T>(connection: Connection, first: Promise<T>): Promise<T> {
  const timer = setTimeout(() => connection.tellSlow?.(SLOW_MS / 1000), SLOW_MS)
  return first.finally(() => clearTimeout(timer))
}

async function greet(connection: Connection, options: SessionOptions): Promise<Greeted> {
  const channel = await connection.startAgent()
  const conversation = new Conversation(connection, channel, options.flight ?? (() => []))
  try {
    const first = await tellingSlow(connection, conversation.first(options.helloMs ?? HELLO_MS))
    if (first.kind !== 'reply') return first
    const { reply } = first
    if (reply.type !== 'hello') {
      throw new HostError(connection.host, 'protocol', `the agent greeted with an unexpected '${reply.type}'`)
    }
    const aheadMs = connection.now().getTime() - reply.now
    if (reply.build === connection.agent.build)
      return { kind: 'ready', hello: clean(reply), aheadMs, conversation }
    conversation.close()
    return { kind: 'absent', why: `it is of the wrong build, '${lastLine(reply.build, 20)}'` }
  } catch (error) {
    conversation.close()
    throw error
  }
}

function clean(hello: Hello): Hello {
  return { ...hello, version: printable(hello.version), hostname: printable(hello.hostname) }
}

function sessionOf(
  { hello, aheadMs, conversation }: Extract<Greeted, { kind: 'ready' }>,
  installed: boolean,
): Session {
  return {
    hello,
    aheadMs,
    installed,
    send: request => conversation.send(request),
    next: timeoutMs => conversation.next(timeoutMs),
    listen: () => conversation.listen(),
    isOver: () => conversation.isOver(),
    close: () => conversation.close(),
  }
}
