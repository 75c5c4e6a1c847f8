/** How the operator's side reaches a host: what every transport (ssh2, the ssh program, local) gives. */
import type { HostName } from '../plan/names.ts'

/** The environment, as main.ts took it from its process. */
export type Env = Readonly<Record<string, string | undefined>>

/** An open way to one host. Whoever connected closes it. */
export interface Connection {
  readonly host: HostName
  /** Who we log in as there. */
  readonly user: string
  /** The agent that belongs to this side, and that startAgent starts. */
  readonly agent: AgentVersion
  /**
   * Starts the agent, and resolves as soon as the request is on its way: the agent may yet turn out to be missing,
   * which the channel's exit and stderr then tell. Rejects with HostError.
   */
  startAgent(): Promise<Channel>
  /** Puts the agent on the host, atomically. Rejects with HostError; the host then has the old agents only. */
  installAgent(): Promise<void>
  /** Whether the agent there is known to be another file than ours: cut short, or changed. */
  isAgentDamaged(): Promise<boolean>
  /** What time it is here: hosts go by their own clocks. */
  now(): Date
  /** Connects anew if it used a connection that was there before, and the host no longer answers by that one. */
  renew?(): Promise<boolean>
  /** Told once if the agent has not greeted after so many seconds: it is waited for, and somebody may wonder. */
  tellSlow?(seconds: number): void
  /** At once, without waiting for what is under way. */
  close(): void
}

export interface AgentVersion {
  readonly version: string
  readonly build: string
}

/** A program running on the host. */
export interface Channel {
  /** Resolves when more may be written. Never rejects: a channel that broke shows at `exit`. */
  write(bytes: Uint8Array): Promise<void>
  /** Closes the program's stdin. */
  end(): void
  /** What it prints on stdout, until its end. To be consumed once. */
  readonly stdout: AsyncIterable<Uint8Array>
  /** The last 16 KiB of what it printed on stderr so far; read all the time, so that a chatty host blocks nothing. */
  stderr(): string
  /** How it ended. `lost` when the connection broke first. Never rejects. */
  readonly exit: Promise<Exit>
}

export type Exit =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'lost'; readonly why: string }

export type HostErrorKind =
  | 'unresolved'
  | 'unreachable'
  | 'refused'
  | 'authentication'
  | 'unknown-host-key'
  | 'changed-host-key'
  | 'sudo'
  | 'noise'
  | 'platform'
  | 'install'
  | 'protocol'
  | 'lost'
  | 'unsupported'

/** A host that cannot be worked with. The message starts with what failed and holds no control characters. */
export class HostError extends Error {
  readonly host: HostName
  readonly kind: HostErrorKind
  readonly hint: string | undefined
  constructor(host: HostName, kind: HostErrorKind, message: string, hint?: string, cause?: unknown) {
    super(message, { cause })
    this.host = host
    this.kind = kind
    this.hint = hint
  }
}
