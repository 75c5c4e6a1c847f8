/** One deployment at a time: an flock(2) that dies with its holder, and a note in the file of who that is. */
import { decodeUtf8, encodeUtf8 } from '../src/plan/bytes.ts'
import type { DeploymentId, Pending } from '../src/protocol/messages.ts'
import type { Machine } from './machine.ts'
import { LOCK } from './paths.ts'

export interface Holder {
  readonly operator: string
  readonly id: DeploymentId
  /** Milliseconds since 1970. */
  readonly since: number
  /** The SSH connection over which it must not be confirmed. */
  readonly connection?: string
}

export class Lock {
  private readonly machine: Machine
  private held = false

  constructor(machine: Machine) {
    this.machine = machine
  }

  /** Takes the lock until this process ends. False when another process has it. */
  take(): boolean {
    this.held ||= this.machine.lock(LOCK)
    return this.held
  }

  /** Leaves word for those who find it taken. */
  sign(holder: Holder): void {
    const writer = this.machine.files.create(LOCK, 0o600)
    writer.write(encodeUtf8(`${JSON.stringify(holder)}\n`))
    writer.close()
  }

  /** Leaves word that everything runs, and is undone unless somebody says otherwise within `ms`. */
  noteSettled(ms: number): void {
    try {
      const writer = this.machine.files.append(LOCK, 0o600)
      writer.write(encodeUtf8(`${JSON.stringify({ until: this.machine.now() + ms })}\n`))
      writer.close()
    } catch {
      // Those who find the lock taken are told less; that the disk is full will stop who has to write.
    }
  }

  /** Who has it, or had it last. */
  holder(): Holder | undefined {
    const signed = (this.signature()[0] ?? {}) as Partial<Holder>
    const { operator, id, since } = signed
    const whole = typeof operator === 'string' && typeof id === 'string' && Number.isSafeInteger(since)
    return whole ? (signed as Holder) : undefined
  }

  /** The deployment that has it, for those who cannot. */
  pending(): Pending | undefined {
    const holder = this.holder()
    if (holder === undefined) return undefined
    const { operator, since, id } = holder
    const [, ...notes] = this.lines() as Partial<{ readonly until: number }>[]
    const until = notes[notes.length - 1]?.until
    const msLeft = until === undefined ? null : Math.max(0, until - this.machine.now())
    return { holder: operator, since, id, msLeft }
  }

  /** What the holder wrote. Who has only just taken the lock is given a moment to sign. */
  private signature(): unknown[] {
    for (let tries = 1; ; tries++) {
      const lines = this.lines()
      if (lines.length > 0 || tries === SIGNING_TRIES) return lines
      this.machine.sleep(SIGNING_PAUSE_MS)
    }
  }

  private lines(): unknown[] {
    const raw = this.machine.files.read(LOCK)
    const lines = ((raw && decodeUtf8(raw)) || '').split('\n').slice(0, -1)
    try {
      return lines.map(line => JSON.parse(line))
    } catch {
      return []
    }
  }
}

/** Signing is one small write; a tenth of a second is enough for it on a busy machine. */
const SIGNING_TRIES = 20
const SIGNING_PAUSE_MS = 5
