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

  /** Who has it, or had it last. Who has only just taken it is given a moment to sign. */
  holder(): Holder | undefined {
    for (let tries = 1; ; tries++) {
      const holder = this.signature()
      if (holder || tries === SIGNING_TRIES) return holder
      this.machine.sleep(SIGNING_PAUSE_MS)
    }
  }

  private signature(): Holder | undefined {
    const raw = this.machine.files.read(LOCK)
    try {
      return JSON.parse((raw && decodeUtf8(raw)) || '') as Holder
    } catch {
      return undefined
    }
  }
}

/** Signing is one small write; a tenth of a second is enough for it on a busy machine. */
const SIGNING_TRIES = 20
const SIGNING_PAUSE_MS = 5
