/** Objects on their way to a host: compressed as git stores them, cut into pieces that fit a frame. */
import { MissingObject } from '../plan/host-state.ts'
import type { Oid } from '../plan/names.ts'
import type { ObjectChunk } from '../protocol/messages.ts'
import { looseObject } from './loose-object.ts'
import type { ObjectReader } from './objects.ts'

/** How many bytes travel in one message, and how long a piece of an object is at the most. */
const BATCH = 256 * 1024

/**
 * A source of batches for any number of hosts. What several hosts need is compressed once, unless it is large.
 * The generator throws MissingObject.
 */
export function chunkSource(
  reader: ObjectReader,
): (oids: readonly Oid[]) => AsyncGenerator<readonly ObjectChunk[]> {
  const compressed = new Map<Oid, Uint8Array>()
  return async function* chunks(oids) {
    let batch: ObjectChunk[] = []
    let size = 0
    for (const oid of oids) {
      const bytes = compressed.get(oid) ?? (await compress(reader, oid))
      if (bytes.length <= BATCH) compressed.set(oid, bytes)
      for (let at = 0; at < bytes.length; at += BATCH) {
        const piece = bytes.subarray(at, at + BATCH)
        batch.push({ oid, bytes: piece, last: at + BATCH >= bytes.length })
        size += piece.length
        if (size < BATCH) continue
        yield batch
        batch = []
        size = 0
      }
    }
    if (batch.length > 0) yield batch
  }
}

async function compress(reader: ObjectReader, oid: Oid): Promise<Uint8Array> {
  const object = await reader.readTyped(oid)
  if (!object) throw new MissingObject(oid)
  return looseObject(object)
}
