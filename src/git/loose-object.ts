/** The bytes of a loose object file (gitformat-loose). */
import { pipeline, Readable } from 'node:stream'
import { createDeflate, deflateSync } from 'node:zlib'
import type { GitObject, LargeObject } from './batch-parser.ts'

const LEVEL = 6

export function looseObject({ type, content }: Pick<GitObject, 'type' | 'content'>): Uint8Array {
  // A copy: what zlib gives is the beginning of a buffer of 16 KiB.
  return new Uint8Array(
    deflateSync(Buffer.concat([headerOf(type, content.length), content]), { level: LEVEL }),
  )
}

/** The same in pieces of `most` bytes at the most, from content that comes in pieces. Rejects as `content` does. */
export function looseObjectPieces(
  { type, size }: Pick<LargeObject, 'type' | 'size'>,
  content: AsyncIterable<Uint8Array>,
  most: number,
): AsyncIterable<Uint8Array> {
  const deflate = createDeflate({ level: LEVEL, chunkSize: most })
  const whole = async function* () {
    yield headerOf(type, size)
    yield* content
  }
  pipeline(Readable.from(whole()), deflate, () => {
    // What went wrong destroys `deflate`, and so reaches whoever reads it.
  })
  return deflate
}

function headerOf(type: string, size: number): Buffer {
  return Buffer.from(`${type} ${size}\0`)
}
