/** The agent for a platform that is not this machine's, run by qemu: the machine's cases, then whole deployments. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  agentFor,
  type Command,
  deployTo,
  makeRoot,
  NOTHING,
  prepare,
  readIn,
} from '../support/agent-driver.ts'
import { needs } from '../support/needs.ts'
import { buildProgram, CASES } from './agent-program.ts'
import { machineCases } from './machine-cases.ts'

const PLATFORM = 'linux-aarch64'
const QEMU = 'qemu-aarch64-static'
const here = needs('aarch64 agent')

test(`the machine of the agent for ${PLATFORM} passes every case`, here, t => {
  const cases = buildProgram(scratch(t), 'cases', CASES, PLATFORM)
  for (const name of Object.keys(machineCases)) {
    const root = scratch(t)
    mkdirSync(join(root, 'tmp'))
    const env = { ...process.env, DEPTOOL_ROOT: root, CASE: name }
    const { status, stdout, stderr } = spawnSync(QEMU, [cases], { env, input: 'hello', encoding: 'utf8' })
    assert.deepEqual({ name, status, stdout, stderr }, { name, status: 0, stdout: 'passed\n', stderr: '' })
  }
})

test(`the agent for ${PLATFORM} deploys, updates and removes`, here, async t => {
  const root = makeRoot(t)
  const qemu: Command = [QEMU, agentFor(PLATFORM)]
  const manifest = JSON.stringify({ symlinks: { '/etc/app.conf': 'app.conf' } })
  const first = prepare(NOTHING, { 'app/app.conf': 'one', 'app/manifest.json': manifest })
  const second = prepare(first, { 'app/app.conf': 'two', 'app/manifest.json': manifest })
  const last = prepare(second, {})
  const said: string[] = []
  for (const version of [first, second]) {
    for (const reply of await deployTo(root, version, qemu)) said.push(reply === 'end' ? reply : reply.type)
    said.push(readIn(root, 'var/lib/deptool/apps/app/current/app.conf'))
  }
  assert.equal(readlinkSync(join(root, 'etc/app.conf')), '/var/lib/deptool/apps/app/current/app.conf')
  await deployTo(root, last, qemu)
  const whole = ['hello', 'staged', 'settled', 'outcome']
  assert.deepEqual(said, [...whole, 'one', ...whole, 'two'])
  assert.deepEqual(readdirSync(join(root, 'etc')), ['hostname'])
})

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'deptool-foreign-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}
