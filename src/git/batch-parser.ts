/**
 * What `git cat-file --batch` prints: `<oid> <type> <size> LF <content> LF` for each object, or a line that says why
 * not.
 */
import { type Oid, oid } from '../plan/names.ts'

export type ObjectType = 'blob' | 'tree' | 'commit' | 'tag'

export interface GitObject {
  readonly oid: Oid
  readonly type: ObjectType
  readonly content: Uint8Array
}

/** An object that is longer than whoever asked wants to hold. */
export interface LargeObject {
  readonly oid: Oid
  readonly type: ObjectType
  readonly size: number
}

interface Body extends LargeObject {
  /** The content and the line feed after it; undefined where that is passed over. */
  readonly bytes: Buffer | undefined
  /** How many of these bytes are still to come. */
  left: number
}

/**
 * Fed with chunks as they come, calls `emit` once per answer: undefined for an object that is not there. `most` is asked
 * before each, how many bytes are wanted of it.
 */
export class BatchParser {
  readonly #emit: (object: GitObject | LargeObject | undefined) => void
  readonly #most: () => number
  #header = ''
  #body: Body | undefined

  constructor(
    emit: (object: GitObject | LargeObject | undefined) => void,
    most = () => Number.POSITIVE_INFINITY,
  ) {
    this.#emit = emit
    this.#most = most
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; )
      at = this.#body ? this.#pushBody(this.#body, chunk, at) : this.#pushHeader(chunk, at)
  }

  #pushHeader(chunk: Buffer, from: number): number {
    const end = chunk.indexOf('\n', from)
    this.#header += chunk.toString('latin1', from, end < 0 ? chunk.length : end)
    if (end < 0) return chunk.length
    this.#body = parseHeader(this.#header, this.#most())
    this.#header = ''
    if (!this.#body) this.#emit(undefined)
    return end + 1
  }

  /** Copies straight to its place, so that a large blob is not moved again with every chunk. */
  #pushBody(body: Body, chunk: Buffer, from: number): number {
    const { oid, type, size, bytes } = body
    const end = Math.min(from + body.left, chunk.length)
    if (bytes) chunk.copy(bytes, bytes.length - body.left, from, end)
    body.left -= end - from
    if (body.left === 0) {
      this.#body = undefined
      this.#emit(bytes ? { oid, type, content: bytes.subarray(0, -1) } : { oid, type, size })
    }
    return end
  }
}

function parseHeader(header: string, most: number): Body | undefined {
  const [, name = '', type, digits] = /^([0-9a-f]+) (blob|tree|commit|tag) (\d+)$/.exec(header) ?? []
  const found = oid(name)
  if (!found) return undefined
  const size = Number(digits)
  const bytes = size <= most ? Buffer.allocUnsafe(size + 1) : undefined
  return { oid: found, type: type as ObjectType, size, bytes, left: size + 1 }
}
