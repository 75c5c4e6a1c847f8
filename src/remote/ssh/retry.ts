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

export async function withRetries<T>(attempt: () => Promise<T>, random: Random): Promise<T> {
  for (const delay of DELAYS_MS) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof Dropped)) throw error
    }
    await sleep(jittered(delay, random))
  }
  try {
    return await attempt()
  } catch (error) {
    throw error instanceof Dropped ? error.error : error
  }
}

const DELAYS_MS = [100, 250, 600, 1400]
