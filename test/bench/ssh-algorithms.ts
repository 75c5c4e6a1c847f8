import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Operator } from '../support/operator.ts'

/** The same for the ssh program as for ssh2, which knows no post-quantum key exchange: that alone would be unfair. */
export function pinAlgorithms({ home }: Operator): void {
  // The file ends within 'Host *'.
  appendFileSync(
    join(home, '.ssh/config'),
    '  KexAlgorithms curve25519-sha256\n  Ciphers aes128-gcm@openssh.com\n',
  )
}
