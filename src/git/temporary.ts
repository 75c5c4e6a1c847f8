/** What is there for as long as a command runs. What a killed one has left is removed by one that runs a day later. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { ownDirectory } from './own-directory.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** A new directory in ours. The caller removes it. */
export function makeTemporary(gitDir: string, prefix: `${string}-`, now: Date): string {
  const parent = ownDirectory(gitDir)
  removeLeft(parent, prefix, now)
  return mkdtempSync(join(parent, prefix))
}

/** Removes what begins so and is over a day old. */
export function removeLeft(parent: string, prefix: `${string}-`, now: Date): void {
  for (const name of readdirSync(parent)) {
    const stat = name.startsWith(prefix) && statSync(join(parent, name), { throwIfNoEntry: false })
    if (stat && now.getTime() - stat.mtimeMs > DAY_MS) remove(join(parent, name))
  }
}

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true })
  } catch {
    // It is of somebody else who shares the repository, and who will do it.
  }
}
