import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { execute } from '../support/execute.ts'
import { outsideOfTests } from './nested.ts'

const RUN = `import { runTests } from '${new URL('run-tests.ts', import.meta.url)}'
process.exitCode = runTests([process.argv[1]], { env: process.env, timeoutMs: 60_000 })`

/** Runs a file with these tests as test/run.mjs does. */
async function run(t: TestContext, tests: string, env: NodeJS.ProcessEnv = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'git-deploy-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'some.test.mjs')
  writeFileSync(file, `import { test, suite } from 'node:test'\n${tests}`)
  const node = [process.execPath, '--import', 'tsx', '--input-type=module', '-e', RUN, '--', file]
  const { stdout, code } = await execute(node, { env: { ...outsideOfTests(process.env), CI: '', ...env } })
  // From the runner's own summary on.
  return { code, closing: stdout.slice(stdout.indexOf('# tests ')).replace(/(duration_ms ).*/, '$1…') }
}

const summary = (counts: Readonly<Record<string, number>>) =>
  ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo']
    .map(name => `# ${name} ${counts[name] ?? 0}\n`)
    .join('')
    .concat('# duration_ms …\n')

const ONE_PASSES = "test('passes', () => {})\n"
const ALLOWED =
  "test('a', { skip: 'root can read everything' })\ntest('b', { skip: 'git 2.39.5 has no reftable' })\n"
const UNKNOWN = "test('c', t => t.skip('the moon is full'))\n"

test('nothing left out is said, too', async t => {
  assert.deepEqual(await run(t, ONE_PASSES, { CI: 'true' }), {
    code: 0,
    closing: `${summary({ tests: 1, pass: 1 })}# left out: no test\n`,
  })
})

test('what is left out comes last, by reason and count', async t => {
  assert.deepEqual(await run(t, ALLOWED + ONE_PASSES + UNKNOWN + UNKNOWN), {
    code: 0,
    closing: `${summary({ tests: 5, pass: 1, skipped: 4 })}# left out: 4 tests
#      2  the moon is full
#      1  root can read everything
#      1  git 2.39.5 has no reftable
`,
  })
})

test('CI accepts the reasons of the list', async t => {
  assert.equal((await run(t, ALLOWED + ONE_PASSES, { CI: 'true' })).code, 0)
})

test('CI fails for any other reason, and overlooks no kind of skip', async t => {
  const tests = [
    UNKNOWN,
    "test('a', { skip: true })",
    "test('b', { todo: 'tomorrow' }, () => { throw new Error('not yet') })",
    "suite('c', { skip: 'a suite' }, () => { test('d', () => {}) })",
    "test('e', async t => { await t.test('f', { skip: 'a subtest' }) })",
  ]
  assert.deepEqual(await run(t, ALLOWED + tests.join('\n'), { CI: 'true' }), {
    code: 1,
    closing: `${summary({ tests: 7, suites: 1, pass: 1, skipped: 5, todo: 1 })}# left out: 7 tests
#      1  root can read everything
#      1  git 2.39.5 has no reftable
#      1  the moon is full
#      1  no reason given
#      1  to do: tomorrow
#      1  a suite
#      1  a subtest
# FAILED: CI=true, and test/allowed-skips.ts does not have these reasons
#         the moon is full
#         no reason given
#         to do: tomorrow
#         a suite
#         a subtest
`,
  })
})

test('a test that fails is the failure, whatever was left out', async t => {
  const { code, closing } = await run(t, `${UNKNOWN}test('fails', () => { throw new Error() })`, {
    CI: 'true',
  })
  assert.equal(code, 1)
  assert.match(closing, /^# fail 1$/m)
})
