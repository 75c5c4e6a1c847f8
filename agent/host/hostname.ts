import { decodeUtf8 } from '../../src/plan/bytes.ts'
import type { Files } from './machine.ts'

/** From hostname(5); if that file is missing or empty, from the kernel. */
export function hostnameOf(files: Files): string {
  return nameIn(files, '/etc/hostname') ?? nameIn(files, '/proc/sys/kernel/hostname') ?? ''
}

function nameIn(files: Files, path: string): string | undefined {
  const text = decodeUtf8(files.read(path) ?? new Uint8Array(0)) ?? ''
  return text
    .split('\n')
    .map(line => line.trim())
    .find(line => line !== '' && !line.startsWith('#'))
}
