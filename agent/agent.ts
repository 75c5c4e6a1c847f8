import type { Wire } from './frames.ts'
import type { Lock } from './host/lock.ts'
import type { Machine } from './host/machine.ts'
import type { Store } from './store/store.ts'

export interface Identity {
  readonly version: string
  /** If the operator's side has another one, it installs its own agent and connects again. */
  readonly build: string
}

export interface Agent {
  readonly identity: Identity
  readonly machine: Machine
  readonly wire: Wire
  readonly lock: Lock
  readonly store: Store
  readonly hostname: string
}
