import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CACHE } from '../hosts/cache.ts'
import { announce } from '../support/announce.ts'
import { output } from '../support/execute.ts'

/** The oldest Node that README promises to run on, then the lines that are maintained. */
export const NODES = ['20.10.0', '22.23.5', '24.22.3', '26.12.1'] as const
export type NodeRelease = (typeof NODES)[number]

/** The directory with that `node` in it, fetched by npm where it is missing. Safe to call from many processes. */
export async function ensureNode(release: NodeRelease): Promise<string> {
  const directory = `${CACHE}/node-${release}-${process.arch}`
  if (!existsSync(directory))
    await announce(`fetching Node ${release} with npm (once)`, () => fetch(release, directory))
  return join(directory, 'node_modules', npmName(), 'bin')
}

async function fetch(release: NodeRelease, directory: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true })
  // Only a whole one ever gets the name.
  const draft = mkdtempSync(`${directory}.`)
  try {
    const quietly = ['--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    await output(['npm', 'install', '--prefix', draft, ...quietly, `${npmName()}@${release}`])
    chmodSync(draft, 0o755)
    renameSync(draft, directory)
  } catch (error) {
    rmSync(draft, { recursive: true })
    // Another process was faster.
    if (!existsSync(directory)) throw error
  }
}

function npmName(): string {
  return `node-linux-${process.arch}`
}
