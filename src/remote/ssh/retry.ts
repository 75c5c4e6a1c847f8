/**
 * Trying again where sshd turned a connection away before it said a word: beyond MaxStartups it drops connections at
 * random, and many hosts behind one address, or many operators at once, get there quickly.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { jittered, type Random } from '../../random.ts'

/** Thrown by an attempt that may be repeated; `error` is what the last one ends with. */
export class Dropped extends Error {
  readonly error: Error
  constructor(error: Error) {
    super(error.message)
    this.error = error
  }
}

/** Where `signal` gives up, the last attempt counts. */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  random: Random,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (const delay of DELAYS_MS) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof Dropped)) throw error
      if (signal?.aborted) throw error.error
    }
    await sleep(jittered(delay, random), undefined, signal ? { signal } : {}).catch(() => {
      // Given up meanwhile: then the next attempt fails at once.
    })
  }
  try {
    return await attempt()
  } catch (error) {
    throw error instanceof Dropped ? error.error : error
  }
}

const DELAYS_MS = [100, 250, 600, 1400]
