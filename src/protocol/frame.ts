/**
 * Frames: 4 bytes of length, big-endian, then that many bytes. The agent's stream begins with a magic, so that what
 * a login shell prints before it is not taken for a length.
 */
import { ProtocolError } from './decoders.ts'

/** The longest frame either side accepts, in bytes. */
export const MAX_FRAME = 16 * 1024 * 1024

/** The first bytes of the agent's output: NUL, `git-deploy`, the protocol's number, newline. */
export const MAGIC = Uint8Array.from('\0git-deploy 1\n', char => char.charCodeAt(0))

/** The length, in bytes. */
const HEADER = 4

export function encodeFrame(body: Uint8Array): Uint8Array {
  const frame = new Uint8Array(4 + body.length)
  new DataView(frame.buffer).setUint32(0, body.length)
  frame.set(body, 4)
  return frame
}

/** From pieces of a stream to whole frame bodies. Throws ProtocolError if a frame is too long. */
export class FrameReader {
  private chunks: Uint8Array[] = []
  private length = 0
  /** The bytes that are needed to continue: a header, or a header and the body that it announces. */
  private needed = HEADER

  push(chunk: Uint8Array): Uint8Array[] {
    this.chunks.push(chunk)
    this.length += chunk.length
    const frames: Uint8Array[] = []
    while (this.length >= this.needed) {
      const bytes = this.gather()
      const size = new DataView(bytes.buffer, bytes.byteOffset, HEADER).getUint32(0)
      if (size > MAX_FRAME)
        throw new ProtocolError(`a frame of ${size} bytes is over the limit of ${MAX_FRAME}`)
      this.needed = HEADER + size
      if (bytes.length < this.needed) break
      frames.push(bytes.subarray(HEADER, this.needed))
      this.keep(bytes.subarray(this.needed))
    }
    return frames
  }

  get partial(): boolean {
    return this.length > 0
  }

  private keep(rest: Uint8Array): void {
    this.chunks = [rest]
    this.length = rest.length
    this.needed = HEADER
  }

  private gather(): Uint8Array {
    const [first] = this.chunks
    if (first && this.chunks.length === 1) return first
    const all = new Uint8Array(this.length)
    let at = 0
    for (const chunk of this.chunks) {
      all.set(chunk, at)
      at += chunk.length
    }
    this.chunks = [all]
    return all
  }
}
