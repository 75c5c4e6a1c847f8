import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ALLOWED_SKIPS } from '../allowed-skips.ts'
import { outsideOfTests } from '../runner/nested.ts'
import { execute } from '../support/execute.ts'

export const TOP = fileURLToPath(new URL('../..', import.meta.url))

export interface Rerun {
  /** From the top directory. */
  readonly files: readonly string[]
  /** Only the tests whose names it matches; all unless given. */
  readonly only?: RegExp
  readonly env?: Readonly<Record<string, string>>
  readonly machine?: Machine
}

/** Where the tests are run: on this machine unless told otherwise. */
export interface Machine {
  /** What a command is put behind that is to run there. */
  readonly enter: readonly string[]
  readonly node: string
}

const HERE: Machine = { enter: [], node: process.execPath }

/** Runs test files once more, under other circumstances. Rejects with the report unless all that may run passes. */
export async function rerun(t: TestContext, { files, only, env = {}, machine = HERE }: Rerun): Promise<void> {
  const pattern = only === undefined ? [] : [`--test-name-pattern=${only.source}`]
  const runner = [machine.node, '--import', 'tsx', '--test', '--test-reporter=tap', ...pattern, ...files]
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const { stdout, stderr, code } = await execute([...machine.enter, 'env', ...settings, ...runner], {
    cwd: TOP,
    env: outsideOfTests(process.env),
  })
  const passed = Number(/^# pass (\d+)$/m.exec(stdout)?.[1] ?? 0)
  assert.ok(code === 0 && passed > 0 && forbiddenSkips(stdout).length === 0, `${stderr}${stdout}`)
  t.diagnostic(`${passed} tests passed`)
}

function forbiddenSkips(tap: string): string[] {
  const reasons = [...tap.matchAll(/ # SKIP ?(.*)$/gm)].map(([, reason]) => reason!)
  // As Node 20 says of tests that were not asked for.
  const fine = [...ALLOWED_SKIPS, /^test name does not match pattern$/]
  return reasons.filter(reason => !fine.some(pattern => pattern.test(reason)))
}
