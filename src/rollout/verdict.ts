import type { DeploymentId } from '../plan/deployment-id.ts'
import type { Request } from '../protocol/messages.ts'

/** What this side wants of one host: to keep the deployment, or to undo it. */
export class Verdict {
  /** Why it was withdrawn; undefined while it was not. */
  why: string | undefined
  private word: 'confirm' | 'undo'
  private final = false

  /** `ifLost`: what to tell a host that was lost before anything was decided. */
  constructor(ifLost: 'confirm' | 'undo') {
    this.word = ifLost
  }

  get isFinal(): boolean {
    return this.final
  }

  /** From here on there is no way back. */
  confirm(): void {
    this.final = true
    this.word = 'confirm'
  }

  /** False if it can no longer be withdrawn, or was before. */
  withdraw(why: string): boolean {
    if (this.final || this.why !== undefined) return false
    this.why = why
    this.word = 'undo'
    return true
  }

  /** For a host that was lost: `lost` says why. */
  request(id: DeploymentId, lost: string): Request {
    if (this.word === 'confirm') return { type: 'confirm', id }
    return { type: 'undo', id, why: this.why ?? lost }
  }
}
