import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const PROGRAM = fileURLToPath(new URL('hold-hosts.ts', import.meta.url))

/** Hosts live as long as the process that booted them. This one boots them in a process that can outlive us. */
export async function startHolder(directory: string, names: readonly string[]): Promise<Holder> {
  const args = ['--import', 'tsx', PROGRAM, directory, ...names]
  // In a session of its own, so that a Ctrl-C meant for us leaves it the time to clean up.
  const child = spawn(process.execPath, args, { detached: true, stdio: 'pipe' })
  const numbers = await bootedNumbers(child)
  return {
    pid: child.pid!,
    numbers,
    async end() {
      const ended = once(child, 'exit')
      child.stdin.end()
      await ended
    },
    letGo() {
      child.stdin.end(KEEP)
      child.stdout.destroy()
      child.stderr.destroy()
      child.unref()
    },
  }
}

export const KEEP = 'keep\n'

export interface Holder {
  /** A SIGTERM to it stops the hosts. */
  readonly pid: number
  /** In the order of the names, as `TestHost` takes them. */
  readonly numbers: readonly number[]
  /** Stops the hosts and removes the directory. The end of this process does too, unless `letGo` was called. */
  end(): Promise<void>
  letGo(): void
}

async function bootedNumbers(child: ChildProcess): Promise<number[]> {
  const complaint = text(child.stderr!)
  for await (const line of createInterface(child.stdout!)) return JSON.parse(line) as number[]
  throw new Error(`the hosts do not boot: ${await complaint}`)
}
