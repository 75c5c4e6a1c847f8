import { decodeUtf8 } from '../../src/plan/bytes.ts'
import type { Files } from './machine.ts'

/**
 * The SSH connection of this session: SSH_CONNECTION, both addresses and ports, is different for every connection. sudo
 * removes it from the environment, so the parent processes are asked too. undefined in a local host directory.
 */
export function sshConnection(files: Files): string | undefined {
  for (let pid = 'self'; pid !== ''; pid = parentOf(files, pid)) {
    const found = /(?:^|\0)SSH_CONNECTION=([^\0]*)/.exec(read(files, `/proc/${pid}/environ`))
    if (found) return found[1]
  }
  return undefined
}

function parentOf(files: Files, pid: string): string {
  const parent = /^PPid:\s*(\d+)$/m.exec(read(files, `/proc/${pid}/status`))?.[1] ?? ''
  return parent === '0' ? '' : parent
}

function read(files: Files, path: string): string {
  try {
    return decodeUtf8(files.read(path) ?? new Uint8Array(0)) ?? ''
  } catch {
    return '' // the process has ended, or belongs to another user
  }
}
