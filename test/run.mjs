/**
 * `npm test`: installs what this machine lacks, builds, checks, and runs every test, one case of each kind.
 * `npm run test:all`: the same with every case.
 * `npm test -- <file>…`: builds and runs those.
 *
 * The tests need Linux, root and Debian's packages for the real hosts. What has to be left out is said at the start,
 * and again in the last lines.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { register } from 'tsx/esm/api'

const HOUR = 3_600_000

register()
const { prepare, prepareOtherAgent, prepareReleases, TEST_PROGRAMS } = await import('./prepare.ts')
const { EVERY_CASE } = await import('./runner/every-case.ts')
const { runTests } = await import('./runner/run-tests.ts')
const { reasons, tellLacks } = await import('./support/needs.ts')

process.chdir(fileURLToPath(new URL('..', import.meta.url)))
const chosen = process.argv.slice(2).filter(word => word !== '--all')
const all = process.argv.includes('--all')
if (all) for (const [name, value] of Object.entries(EVERY_CASE)) process.env[name] ??= value

const { leftOut, broken } = await prepare(TEST_PROGRAMS)
if (leftOut !== undefined) tellLacks(process.env, { 'real hosts': leftOut.split('\n', 1)[0] })
if (broken) console.log(leftOut)
tellLacks(process.env, prepareOtherAgent())
if (chosen.length === 0) tellLacks(process.env, await prepareReleases())
if (reasons().length > 0) warn(['LEFT OUT: tests to which one of these applies', ...reasons()])

run('npm', ['run', '--silent', 'build'])
if (chosen.length === 0) run('npm', ['run', '--silent', 'check'])
process.exitCode =
  runTests(testFiles(), { env: process.env, timeoutMs: all ? 4 * HOUR : HOUR / 6 }) || (broken ? 1 : 0)

function run(program, args) {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit' })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}

function testFiles() {
  if (chosen.length > 0) return chosen
  return readdirSync('test', { recursive: true, withFileTypes: true })
    .map(entry => relative('.', join(entry.parentPath, entry.name)))
    .filter(file => file.endsWith('.test.ts'))
}

function warn(lines) {
  const rule = '!'.repeat(78)
  console.log([rule, ...lines, rule].join('\n'))
}
