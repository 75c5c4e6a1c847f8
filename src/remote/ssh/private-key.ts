/** Formats of private keys that ssh reads and ssh2 does not, and what can be known without the passphrase. */
import { createPrivateKey } from 'node:crypto'
import { WireReader } from './wire.ts'

/** From OpenSSH's format (PROTOCOL.key). undefined where the file is of another kind. */
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

/** A key in PKCS#8, in the older format of its type, which ssh2 reads. Anything else as it is. */
export function withoutPkcs8(file: Buffer): Buffer {
  if (!PKCS8.test(file.toString('latin1'))) return file
  try {
    const key = createPrivateKey(file)
    const type = OLDER[key.asymmetricKeyType ?? '']
    return type === undefined ? file : Buffer.from(key.export({ format: 'pem', type }))
  } catch {
    // Then it is for ssh to say what is wrong with it.
    return file
  }
}

const PKCS8 = /^-----BEGIN PRIVATE KEY-----/m
const OLDER: Readonly<Record<string, 'pkcs1' | 'sec1'>> = { rsa: 'pkcs1', ec: 'sec1' }

/** Whether the key can only be used with a passphrase. */
export function isLocked(file: Buffer): boolean {
  const text = file.toString('latin1')
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) return true
  const [, base64] = PEM.exec(text) ?? []
  const bytes = Buffer.from(base64 ?? '', 'base64')
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return false
  try {
    return new WireReader(bytes.subarray(MAGIC.length)).string().toString('latin1') !== 'none'
  } catch {
    return false
  }
}

const PEM = /-----BEGIN OPENSSH PRIVATE KEY-----\s([A-Za-z0-9+/=\s]+)-----END/
const MAGIC = Buffer.from('openssh-key-v1\0')
