/** A child process on this machine, as a Channel. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { lastLine } from './clean.ts'
import { STDERR_LIMIT, Tail } from './tail.ts'
import type { Channel, Exit } from './transport.ts'
import { writeTo } from './write.ts'

interface Losing {
  /** The exit status by which the child says that it lost its host, where it has one. */
  readonly lostCode?: number
  /** Why it was ended, where it would never have noticed. */
  readonly lost?: () => string | undefined
}

export function childChannel(child: ChildProcessWithoutNullStreams, losing: Losing = {}): Channel {
  const stderr = new Tail(STDERR_LIMIT)
  child.stderr.setEncoding('utf8').on('data', chunk => stderr.push(chunk))
  // A child that ended before it read everything is no failure of ours: `exit` tells.
  child.stdin.on('error', () => {})
  return {
    write: bytes => writeTo(child.stdin, bytes),
    end: () => child.stdin.end(),
    stdout: losing.lost ? untilLost(child.stdout, losing.lost) : child.stdout,
    stderr: () => stderr.toString(),
    exit: exitOf(child, stderr, losing),
  }
}

/** What was closed because the host was lost has ended; `exit` says why. */
async function* untilLost(stdout: AsyncIterable<Uint8Array>, lost: () => string | undefined) {
  try {
    yield* stdout
  } catch (error) {
    if (lost() === undefined) throw error
  }
}

/** Resolves on 'close' rather than on 'exit', so that stderr is complete by then. */
function exitOf(
  child: ChildProcessWithoutNullStreams,
  stderr: Tail,
  { lostCode, lost }: Losing,
): Promise<Exit> {
  return new Promise(resolve => {
    child.once('error', error => resolve({ kind: 'lost', why: error.message }))
    child.once('close', (code, signal) => {
      const why = lost?.()
      if (why !== undefined) resolve({ kind: 'lost', why })
      else if (signal !== null) resolve({ kind: 'signalled', signal })
      else if (code === lostCode) resolve({ kind: 'lost', why: lastLine(stderr.toString()) })
      else resolve({ kind: 'exited', code: code ?? 0 })
    })
  })
}
