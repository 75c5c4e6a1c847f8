import { setTimeout as sleep } from 'node:timers/promises'

/** Asks again and again until the answer is neither undefined nor false, and returns it. */
export async function waitFor<T>(
  what: string,
  ask: () => T | Promise<T>,
  { everyMs = 10 } = {},
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + PATIENCE_MS
  while (true) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>
    if (performance.now() > deadline) throw new Error(`waited ${PATIENCE_MS} ms in vain for ${what}`)
    await sleep(everyMs)
  }
}

/** No measure of anything: a machine may be busy. It only has a test say what it waits for before the run ends it. */
const PATIENCE_MS = 180_000
