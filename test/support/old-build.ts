/** git-deploy as it was before its files carried a format, for tests in which versions meet. Built once per machine. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CACHE } from '../hosts/cache.ts'
import { announce } from './announce.ts'
import { output } from './execute.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const COMMIT = '9b3730f256fc055c5821ced6a376811b6578e117'

/** Why the commit cannot be built here; undefined where it can. */
export function whyNoOldBuild(): string | undefined {
  try {
    execFileSync('git', ['cat-file', '-e', `${COMMIT}^{commit}`], { cwd: ROOT, stdio: 'ignore' })
    return undefined
  } catch {
    return `this clone does not have the commit ${COMMIT.slice(0, 7)} (it is shallow)`
  }
}

/** The directory of the build, with `git-deploy` in its bin/. Safe to call from many processes. */
export async function ensureOldBuild(): Promise<string> {
  const built = `${CACHE}/build-${COMMIT.slice(0, 10)}`
  if (!existsSync(built))
    await announce(`building ${COMMIT.slice(0, 7)} (once, about half a minute)`, () => build(built))
  return built
}

async function build(place: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true })
  const draft = mkdtempSync(`${place}.`)
  try {
    const archive = execFileSync('git', ['archive', COMMIT], { cwd: ROOT, maxBuffer: 256 * 1024 * 1024 })
    execFileSync('tar', ['-x', '-C', draft], { input: archive })
    // What it is built with has not changed since.
    symlinkSync(join(ROOT, 'node_modules'), join(draft, 'node_modules'))
    await output(['npm', 'run', '--silent', 'build'], { cwd: draft })
    rmSync(join(draft, 'node_modules'))
    if (!existsSync(place)) renameSync(draft, place)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
}
