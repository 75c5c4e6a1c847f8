/**
 * `npm test`: installs what this machine lacks, builds, checks, and runs every test.
 * `npm test -- <file>…`: builds and runs those.
 *
 * The tests need Linux, root and Debian's packages for the real hosts; those that cannot run are named at the start
 * and counted as skipped.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { register } from 'tsx/esm/api'
import { isInstalled } from '../agent/build/compilers.mjs'
import { fetchCrossMusl } from '../agent/build/cross-musl.mjs'

register()
const { prepare, TEST_PROGRAMS } = await import('./prepare.ts')

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const chosen = process.argv.slice(2)

const { leftOut, broken } = await prepare(TEST_PROGRAMS)
if (leftOut !== undefined) warn(`LEFT OUT: every test on real hosts\n${leftOut}`)
const noOther = foreignAgent()
if (noOther !== undefined) warn(`LEFT OUT: the agent for another platform\n${noOther}`)

run('npm', ['run', '--silent', 'build'])
if (chosen.length === 0) run('npm', ['run', '--silent', 'check'])

const hosts = leftOut === undefined ? {} : { GIT_DEPLOY_NO_HOSTS: leftOut.split('\n', 1)[0] }
run(process.execPath, ['--import', 'tsx', '--test', ...runnerOptions(), ...testFiles()], hosts)
if (broken) process.exitCode = 1

/** Fetches what the agent for another platform is built with. Why it cannot be built and run here, if it cannot. */
function foreignAgent() {
  const missing = ['aarch64-linux-gnu-gcc', 'qemu-aarch64-static'].find(program => !isInstalled(program))
  if (missing !== undefined) return `'${missing}' is not installed`
  try {
    fetchCrossMusl('linux-aarch64')
    return undefined
  } catch (error) {
    return error.message
  }
}

function run(program, args, env = {}) {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', env: { ...process.env, ...env } })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}

function runnerOptions() {
  // As many files at a time as there are processors, but two even on one: tests on hosts mostly wait.
  const concurrency = Math.max(2, availableParallelism())
  const reporter = process.stdout.isTTY ? 'spec' : 'tap'
  return [`--test-concurrency=${concurrency}`, `--test-reporter=${reporter}`, '--test-timeout=600000']
}

function testFiles() {
  if (chosen.length > 0) return chosen
  return readdirSync('test', { recursive: true, withFileTypes: true })
    .map(entry => relative('.', join(entry.parentPath, entry.name)))
    .filter(file => file.endsWith('.test.ts'))
}

function warn(text) {
  const line = '!'.repeat(78)
  console.log([line, text, line].join('\n'))
}
