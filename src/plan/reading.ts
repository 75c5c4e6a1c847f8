/**
 * Reading Git objects without knowing where they are: a generator that yields the names of those it needs next, and is
 * sent their contents. The operator's side reads them with `git cat-file`, the agent from its store.
 */
import type { Oid } from './names.ts'

/** Contents by object name. An object that is not there is missing from the map. */
export type Contents = ReadonlyMap<Oid, Uint8Array>

export type Reading<T> = Generator<readonly Oid[], T, Contents>

export function readAll<T>(reading: Reading<T>, read: (oids: readonly Oid[]) => Contents): T {
  let next = reading.next()
  while (!next.done) next = reading.next(read(next.value))
  return next.value
}
