/** SSH's own encoding, RFC 4251: a length of 4 bytes, then that many bytes. */
export class WireReader {
  private at = 0
  private readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  uint32(): number {
    this.at += 4
    return this.bytes.readUInt32BE(this.at - 4)
  }

  string(): Buffer {
    const length = this.uint32()
    if (this.at + length > this.bytes.length) throw new RangeError('a string is longer than its message')
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export const wireString = (bytes: Uint8Array): Buffer => Buffer.concat([uint32(bytes.length), bytes])

/** The type of a public key, which is the first string in it: 'ssh-ed25519'. Throws RangeError. */
export const keyType = (blob: Buffer): string => new WireReader(blob).string().toString('latin1')
