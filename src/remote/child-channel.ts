/** A child process on this machine, as a Channel. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { lastLine } from './clean.ts'
import { STDERR_LIMIT, Tail } from './tail.ts'
import type { Channel, Exit } from './transport.ts'
import { writeTo } from './write.ts'

/** `lostCode` is the exit status by which the child says that it lost its host, where it has one. */
export function childChannel(child: ChildProcessWithoutNullStreams, lostCode?: number): Channel {
  const stderr = new Tail(STDERR_LIMIT)
  child.stderr.setEncoding('utf8').on('data', chunk => stderr.push(chunk))
  // A child that ended before it read everything is no failure of ours: `exit` tells.
  child.stdin.on('error', () => {})
  return {
    write: bytes => writeTo(child.stdin, bytes),
    end: () => child.stdin.end(),
    stdout: child.stdout,
    stderr: () => stderr.toString(),
    exit: exitOf(child, stderr, lostCode),
  }
}

/** Resolves on 'close' rather than on 'exit', so that stderr is complete by then. */
function exitOf(
  child: ChildProcessWithoutNullStreams,
  stderr: Tail,
  lostCode: number | undefined,
): Promise<Exit> {
  return new Promise(resolve => {
    child.once('error', error => resolve({ kind: 'lost', why: error.message }))
    child.once('close', (code, signal) => {
      if (signal !== null) resolve({ kind: 'signalled', signal })
      else if (code === lostCode) resolve({ kind: 'lost', why: lastLine(stderr.toString()) })
      else resolve({ kind: 'exited', code: code ?? 0 })
    })
  })
}
