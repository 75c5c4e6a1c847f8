import type { Wire } from './frames.ts'
import type { Lock } from './host/lock.ts'
import type { Machine } from './host/machine.ts'
import type { Store } from './store/store.ts'

export interface Identity {
  readonly version: string
  /** The same on both ends, or they do not talk: DESIGN 6. */
  readonly build: string
}

/** What one session works with. */
export interface Agent {
  readonly identity: Identity
  readonly machine: Machine
  readonly wire: Wire
  readonly lock: Lock
  readonly store: Store
  /** What the host says it is called. */
  readonly hostname: string
}
