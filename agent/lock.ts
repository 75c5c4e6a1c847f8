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

  /** Who has it, or had it last; a holder who has not signed yet is nobody. */
  holder(): Holder | undefined {
    return this.lines()[0] as Holder | undefined
  }

  /** The deployment that has it, for those who cannot. */
  pending(): Pending | undefined {
    const [holder, ...notes] = this.lines() as [Holder?, ...{ readonly until: number }[]]
    if (holder === undefined) return undefined
    const { operator, since, id } = holder
    const until = notes[notes.length - 1]?.until
    const msLeft = until === undefined ? null : Math.max(0, until - this.machine.now())
    return { holder: operator, since, id, msLeft }
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
