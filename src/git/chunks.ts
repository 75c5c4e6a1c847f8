/** Objects on their way to a host: compressed as git stores them, cut into pieces that fit a frame. */
import { Fatal } from '../errors.ts'
import type { Oid } from '../plan/names.ts'
import type { ObjectChunk } from '../protocol/messages.ts'
import { MAX_CONTENT } from './layout.ts'
import { looseObject, looseObjectPieces } from './loose-object.ts'
import { LostObject, type ObjectReader } from './objects.ts'

/** How many bytes travel in one message, and how long a piece of an object is at the most. */
const BATCH = 256 * 1024

/** What is longer is never held as a whole, in bytes. */
const LARGE = 8 * 1024 * 1024

/**
 * A source of batches for any number of hosts. An object that is in `shared` is compressed once for all of them, unless
 * it is large. The generator throws LostObject.
 */
export function chunkSource(
  reader: ObjectReader,
  shared: ReadonlySet<Oid>,
): (oids: readonly Oid[]) => AsyncGenerator<readonly ObjectChunk[]> {
  const compressed = new Bounded<Oid>(KEPT)
  return async function* chunks(oids) {
    let batch: ObjectChunk[] = []
    let size = 0
    for (const oid of oids)
      for await (const [bytes, last] of marked(pieces(oid))) {
        batch.push({ oid, bytes, last })
        size += bytes.length
        if (size < BATCH) continue
        yield batch
        batch = []
        size = 0
      }
    if (batch.length > 0) yield batch
  }

  async function* pieces(oid: Oid): AsyncGenerator<Uint8Array> {
    const known = compressed.get(oid)
    const object = known ? undefined : await reader.readUpTo(oid, LARGE)
    if (object && object.type === 'blob' && 'size' in object && object.size > MAX_CONTENT)
      throw new Fatal(`cannot deploy object ${oid}: it is larger than 512 MiB`, {
        hint: `run 'git ls-tree -r <commit> | grep ${oid}' to find its path`,
      })
    if (object && !('content' in object))
      return yield* looseObjectPieces(object, reader.stream(object), BATCH)
    const bytes = known ?? (object && looseObject(object))
    if (!bytes) throw new LostObject(oid)
    if (shared.has(oid) && bytes.length <= BATCH) compressed.add(oid, bytes)
    for (let at = 0; at < bytes.length; at += BATCH) yield bytes.subarray(at, at + BATCH)
  }
}

/** What several hosts need is kept up to here, in bytes. Hosts ask for the same in the same order, so the oldest goes. */
const KEPT = 32 * 1024 * 1024

class Bounded<Key> {
  readonly #most: number
  readonly #all = new Map<Key, Uint8Array>()
  #size = 0

  constructor(most: number) {
    this.#most = most
  }

  get(key: Key): Uint8Array | undefined {
    return this.#all.get(key)
  }

  add(key: Key, bytes: Uint8Array): void {
    if (this.#all.has(key)) return
    this.#all.set(key, bytes)
    this.#size += bytes.length
    for (const [oldest, { length }] of this.#all) {
      if (this.#size <= this.#most) return
      this.#all.delete(oldest)
      this.#size -= length
    }
  }
}

/** Each with whether it is the last one. */
async function* marked<T>(all: AsyncIterable<T>): AsyncGenerator<[T, boolean]> {
  let held: T | undefined
  for await (const one of all) {
    if (held !== undefined) yield [held, false]
    held = one
  }
  if (held !== undefined) yield [held, true]
}
