/** What is there for as long as a command runs. What a killed one has left is removed by one that runs a day later. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

const DAY_MS = 24 * 60 * 60 * 1000

/** A new directory in `parent`, which is made where it is missing. The caller removes it. */
export function makeTemporary(parent: string, prefix: `${string}-`): string {
  mkdirSync(parent, { recursive: true })
  removeLeft(parent, prefix)
  return mkdtempSync(join(parent, prefix))
}

/** Removes what begins so and is over a day old. */
export function removeLeft(parent: string, prefix: `${string}-`): void {
  for (const name of readdirSync(parent)) {
    const stat = name.startsWith(prefix) && statSync(join(parent, name), { throwIfNoEntry: false })
    if (stat && Date.now() - stat.mtimeMs > DAY_MS)
      rmSync(join(parent, name), { recursive: true, force: true })
  }
}
