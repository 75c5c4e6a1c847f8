import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** The highest peak, in KiB, of any agent with that setting in its environment while `work` is under way. */
export async function peakWhile(setting: string, work: Promise<unknown>): Promise<number> {
  let done = false
  let peak = 0
  const ended = work.finally(() => {
    done = true
  })
  while (!done) {
    for (const pid of agents(setting)) peak = Math.max(peak, peakOf(pid) ?? 0)
    await Promise.race([sleep(1), ended])
  }
  await ended
  return peak
}

/** proc(5): VmHWM, peak resident set size. undefined where the process is gone. */
export function peakOf(pid: number): number | undefined {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`)) ?? []
  return kib === undefined ? undefined : Number(kib)
}

function agents(setting: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter(pid => pid > 0 && read(`/proc/${pid}/comm`).startsWith('deptool'))
    .filter(pid => read(`/proc/${pid}/environ`).split('\0').includes(setting))
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return '' // the process is gone
  }
}
