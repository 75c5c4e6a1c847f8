import type { Wire } from './frames.ts'
import type { Lock } from './host/lock.ts'
import type { Machine } from './host/machine.ts'
import type { Store } from './store/store.ts'

export interface Agent {
  readonly machine: Machine
  readonly wire: Wire
  readonly lock: Lock
  readonly store: Store
  readonly hostname: string
}
