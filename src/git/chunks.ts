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
 * A source of batches for any number of hosts. What several hosts need is compressed once, unless it is large.
 * The generator throws LostObject.
 */
export function chunkSource(
  reader: ObjectReader,
): (oids: readonly Oid[]) => AsyncGenerator<readonly ObjectChunk[]> {
  const compressed = new Map<Oid, Uint8Array>()
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
    const object = compressed.has(oid) ? undefined : await reader.readUpTo(oid, LARGE)
    if (object && object.type === 'blob' && 'size' in object && object.size > MAX_CONTENT)
      throw new Fatal(`cannot deploy object ${oid}: it is larger than 512 MiB`, {
        hint: `run 'git ls-tree -r <commit> | grep ${oid}' to find its path`,
      })
    if (object && !('content' in object))
      return yield* looseObjectPieces(object, reader.stream(object), BATCH)
    const bytes = compressed.get(oid) ?? (object && looseObject(object))
    if (!bytes) throw new LostObject(oid)
    if (bytes.length <= BATCH) compressed.set(oid, bytes)
    for (let at = 0; at < bytes.length; at += BATCH) yield bytes.subarray(at, at + BATCH)
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
