/** OpenSSH's format of private keys (PROTOCOL.key), whose public half can be read without the passphrase. */
import { WireReader } from './wire.ts'

/** undefined where the file is of another kind. */
export function publicPart(file: Buffer): Buffer | undefined {
  const [, base64] = PEM.exec(file.toString('latin1')) ?? []
  const bytes = Buffer.from(base64 ?? '', 'base64')
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined
  try {
    const reader = new WireReader(bytes.subarray(MAGIC.length))
    for (const _ of ['cipher', 'derivation', 'its options']) reader.string()
    return reader.uint32() === 1 ? reader.string() : undefined
  } catch {
    // A file that ends early is no key.
    return undefined
  }
}

const PEM = /-----BEGIN OPENSSH PRIVATE KEY-----\s([A-Za-z0-9+/=\s]+)-----END/
const MAGIC = Buffer.from('openssh-key-v1\0')
