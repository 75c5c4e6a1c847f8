/** One deployment at a time: an flock(2) that dies with its holder, and a note in the file of who that is. */
import { decodeUtf8, encodeUtf8 } from '../src/plan/bytes.ts'
import type { DeploymentId } from '../src/protocol/messages.ts'
import type { Machine } from './machine.ts'
import { LOCK } from './paths.ts'

export interface Holder {
  readonly operator: string
  readonly id: DeploymentId
  /** Milliseconds since 1970. */
  readonly since: number
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

  /** Who has it, or had it last; a holder who has not signed yet is nobody. */
  holder(): Holder | undefined {
    const raw = this.machine.files.read(LOCK)
    try {
      const { operator, id, since } = JSON.parse((raw && decodeUtf8(raw)) || '') as Partial<Holder>
      const whole = typeof operator === 'string' && typeof id === 'string' && Number.isSafeInteger(since)
      return whole ? ({ operator, id, since } as Holder) : undefined
    } catch {
      return undefined
    }
  }
}
