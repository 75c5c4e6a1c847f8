/** One deployment at a time: an flock(2), which ends with its holder, and a note in the file about the holder. */
import { decodeUtf8, encodeUtf8 } from '../../src/plan/bytes.ts'
import { type DeploymentId, deploymentId } from '../../src/plan/deployment-id.ts'
import { FORMATS, isReadable } from '../../src/protocol/format.ts'
import type { InProgress } from '../../src/protocol/messages.ts'
import type { Machine } from './machine.ts'
import { LOCK } from './paths.ts'

export interface Holder {
  readonly operator: string
  readonly id: DeploymentId
  /** Milliseconds since 1970. */
  readonly since: number
  /** The SSH connection that must not confirm it. */
  readonly connection?: string
}

export class Lock {
  private readonly machine: Machine
  /** Whether this process has it. */
  held = false

  constructor(machine: Machine) {
    this.machine = machine
  }

  /** Until this process ends. false if another process has the lock. */
  take(): boolean {
    this.held ||= this.machine.lock(LOCK)
    return this.held
  }

  /** Leaves a note for other sessions. */
  sign(holder: Holder): void {
    const writer = this.machine.files.create(LOCK, 0o600)
    writer.write(encodeUtf8(`${JSON.stringify({ ...holder, format: FORMATS.lock })}\n`))
    writer.close()
  }

  /** Adds to the note that the deployment waits `ms` for its confirmation. */
  noteSettled(ms: number): void {
    try {
      const writer = this.machine.files.append(LOCK, 0o600)
      // In ticks(), which are the same for all processes; the lock does not outlive a boot.
      const note: SettledNote = { format: FORMATS.lock, ticks: this.machine.ticks() + ms }
      writer.write(encodeUtf8(`${JSON.stringify(note)}\n`))
      writer.close()
    } catch {
      // With a full disk other sessions learn less. Whatever has to be written fails elsewhere.
    }
  }

  /** The holder, or the last one. */
  holder(): Holder | undefined {
    const [signed] = this.signature()
    return isHolder(signed) ? signed : undefined
  }

  /** The holder's deployment, for other sessions. */
  inProgress(): InProgress {
    const holder = this.holder()
    if (holder === undefined) return NOBODY_YET
    const { operator, since, id } = holder
    const [, ...notes] = this.lines()
    const note = notes.pop()
    const msLeft = isSettledNote(note) ? Math.max(0, Math.ceil(note.ticks - this.machine.ticks())) : null
    return { holder: operator, since, id, msLeft }
  }

  /** Waits a moment for a holder that has only just taken the lock. */
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

/** The holder has not signed yet. */
const NOBODY_YET: InProgress = { holder: '', since: 0, id: '', msLeft: null }

function isHolder(signed: unknown): signed is Holder {
  const { operator, id, since } = (signed ?? {}) as Partial<Holder>
  return (
    typeof operator === 'string' &&
    deploymentId(`${id}`) !== undefined &&
    Number.isSafeInteger(since) &&
    since! >= 0
  )
}

/** Builds before the formats wrote 'until', some of them by a clock that can be set: no time is said then. */
interface SettledNote {
  readonly format: number
  /** When it rolls back. */
  readonly ticks: number
}

function isSettledNote(note: unknown): note is SettledNote {
  return isReadable('lock', note) && typeof (note as Partial<SettledNote> | null)?.ticks === 'number'
}

/** Signing is a small write: a tenth of a second is enough on a busy machine. */
const SIGNING_TRIES = 20
const SIGNING_PAUSE_MS = 5
