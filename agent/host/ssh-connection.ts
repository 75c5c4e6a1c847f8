/** Which SSH connection this agent was started over. */
import { decodeUtf8 } from '../../src/plan/bytes.ts'
import type { Files } from './machine.ts'

/**
 * What sshd says of the connection, both addresses and ports: the same for all that is started over it, another for
 * every new one. sudo takes it out of the environment, so that of the processes above us is looked at too. undefined
 * where nobody says, as on an embedded host.
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
    return '' // a process that has ended meanwhile, or that is none of ours to look at
  }
}
