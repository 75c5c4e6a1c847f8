/** What ssh2 can do and we want, the fastest first, within what the user's configuration allows. */

import { HostError } from '../transport.ts'
import type { SshAddress } from './address.ts'

interface Offer {
  readonly kex: readonly string[]
  readonly hostKey: readonly string[]
  readonly cipher: readonly string[]
  readonly mac: readonly string[]
}

/** Throws HostError 'unsupported' where the configuration allows nothing that ssh2 can do. */
export function offerFor({ host, algorithms }: SshAddress): Offer {
  const within = (name: keyof Offer): readonly string[] => {
    const allowed = algorithms[name]
    const offer = allowed ? FASTEST[name].filter(one => allowed.includes(one)) : FASTEST[name]
    if (offer.length > 0) return offer
    throw new HostError(
      host,
      'unsupported',
      `cannot follow the SSH configuration: ssh2 does not support any ${WORDS[name]} that it allows`,
    )
  }
  return { kex: within('kex'), hostKey: within('hostKey'), cipher: within('cipher'), mac: within('mac') }
}

/**
 * Measured: X25519 and AES-GCM are OpenSSL's own and take no time; ssh2's ChaCha20-Poly1305 is WebAssembly. Without
 * diffie-hellman-group-exchange: node checks for up to ten seconds, at every exchange, whether the host's number is prime.
 */
const FASTEST: Offer = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
  ],
  hostKey: [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
    'chacha20-poly1305@openssh.com',
  ],
  mac: [
    'hmac-sha2-256-etm@openssh.com',
    'hmac-sha2-512-etm@openssh.com',
    'hmac-sha2-256',
    'hmac-sha2-512',
    'hmac-sha1-etm@openssh.com',
    'hmac-sha1',
  ],
}

const WORDS: { readonly [K in keyof Offer]: string } = {
  kex: 'key exchange',
  hostKey: 'host key type',
  cipher: 'cipher',
  mac: 'MAC',
}
