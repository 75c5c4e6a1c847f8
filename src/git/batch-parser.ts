/** What `git cat-file --batch` prints: `<oid> <type> <size> LF <content> LF` for each object, or a line that says why not. */
import { type Oid, oid } from '../plan/names.ts'

export type ObjectType = 'blob' | 'tree' | 'commit' | 'tag'

export interface GitObject {
  readonly oid: Oid
  readonly type: ObjectType
  readonly content: Uint8Array
}

interface Body {
  readonly oid: Oid
  readonly type: ObjectType
  /** The content and the line feed after it. */
  readonly bytes: Buffer
  filled: number
}

/** Fed with chunks as they come, calls `emit` once per answer: undefined for an object that is not there. */
export class BatchParser {
  readonly #emit: (object: GitObject | undefined) => void
  #header = ''
  #body: Body | undefined

  constructor(emit: (object: GitObject | undefined) => void) {
    this.#emit = emit
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; )
      at = this.#body ? this.#pushBody(this.#body, chunk, at) : this.#pushHeader(chunk, at)
  }

  #pushHeader(chunk: Buffer, from: number): number {
    const end = chunk.indexOf('\n', from)
    this.#header += chunk.toString('latin1', from, end < 0 ? chunk.length : end)
    if (end < 0) return chunk.length
    this.#body = parseHeader(this.#header)
    this.#header = ''
    if (!this.#body) this.#emit(undefined)
    return end + 1
  }

  /** Copies straight to its place, so that a large blob is not moved again with every chunk. */
  #pushBody(body: Body, chunk: Buffer, from: number): number {
    const copied = chunk.copy(body.bytes, body.filled, from)
    body.filled += copied
    if (body.filled === body.bytes.length) {
      this.#body = undefined
      this.#emit({ oid: body.oid, type: body.type, content: body.bytes.subarray(0, -1) })
    }
    return from + copied
  }
}

function parseHeader(header: string): Body | undefined {
  const [, name = '', type, size] = /^([0-9a-f]+) (blob|tree|commit|tag) (\d+)$/.exec(header) ?? []
  const found = oid(name)
  return (
    found && { oid: found, type: type as ObjectType, bytes: Buffer.allocUnsafe(Number(size) + 1), filled: 0 }
  )
}
