import { encodeUtf8 } from './bytes.ts'
import type { Oid } from './names.ts'
import type { Step } from './steps.ts'

interface Digested {
  readonly fromTree: Oid | null
  readonly toTree: Oid
  readonly steps: readonly Step[]
}

/**
 * Of both trees and of every step, in order: the operator accepts a plan by its digest, and the agent refuses to carry
 * out another. `sha256` is the engine's own, from bytes to hexadecimal.
 */
export function digest({ fromTree, toTree, steps }: Digested, sha256: (bytes: Uint8Array) => string): string {
  return sha256(encodeUtf8(JSON.stringify(['deptool-plan-1', fromTree, toTree, steps])))
}
