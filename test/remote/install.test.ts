import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Agents } from '../../src/remote/agents.ts'
import { installAgent } from '../../src/remote/install.ts'
import { installScript } from '../../src/remote/install-script.ts'
import { localShell } from '../support/local-shell.ts'
import { needs } from '../support/needs.ts'
import { fakeAgents } from './fake-agent.ts'
import { temporaryDirectory } from './temporary.ts'

const NAME = 'deptool-1.0.0-abcdef0123'
const DAY = 24 * 60 * 60

interface Place {
  readonly bin: string
  readonly agents: Agents
  install(options?: { readonly env?: NodeJS.ProcessEnv; readonly user?: string }): Promise<void>
}

function makePlace(t: TestContext): Place {
  const directory = temporaryDirectory(t)
  const bin = join(directory, 'bin')
  const agents = fakeAgents(join(directory, 'agents'))
  return { bin, agents, install: options => installAgent(localShell(options), agents, installScript(bin)) }
}

/** Runs in front of the machine's own programs. */
function withProgram(t: TestContext, programs: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const directory = temporaryDirectory(t)
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(join(directory, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  }
  return { ...process.env, PATH: `${directory}:${process.env['PATH']}` }
}

test('an agent is put in place whole and executable', async t => {
  const { bin, agents, install } = makePlace(t)
  await install()
  assert.deepEqual(readdirSync(bin), [NAME])
  assert.equal(statSync(join(bin, NAME)).mode & 0o777, 0o755)
  assert.equal(statSync(bin).mode & 0o777, 0o755)
  assert.deepEqual(readFileSync(join(bin, NAME)), readFileSync(agents.platforms.get('linux-x86_64')!.file))
})

test('ten installs at the same time do not collide', async t => {
  const { bin, install } = makePlace(t)
  await Promise.all(Array.from({ length: 10 }, () => install()))
  assert.deepEqual(readdirSync(bin), [NAME])
})

for (const [shell, options] of [
  ['sh', {}],
  ['bash', {}],
  ['busybox', needs('busybox')],
  ['ksh', needs('ksh')],
  ['zsh', needs('zsh')],
] as const)
  test(`the script is one that ${shell} understands`, options, () => {
    const script = installScript()
    assert.ok(!script.includes("'"))
    execFileSync(shell, [...(shell === 'busybox' ? ['sh'] : []), '-n', '-c', script], { stdio: 'pipe' })
  })

test('a platform without an agent', async t => {
  const { bin, install } = makePlace(t)
  const env = withProgram(t, { uname: 'echo Linux s390x' })
  await assert.rejects(install({ env }), {
    kind: 'platform',
    message: 'cannot install the agent on Linux s390x',
    hint: 'this package has agents for linux-x86_64, linux-aarch64',
  })
  assert.ok(!existsSync(bin))
})

test('a full disk leaves nothing behind', async t => {
  const { bin, install } = makePlace(t)
  const env = withProgram(t, { cat: 'echo "cat: write error: No space left on device" >&2; exit 1' })
  await assert.rejects(install({ env }), { kind: 'install', message: /no space in \/var\/lib\/deptool/ })
  assert.deepEqual(readdirSync(bin), [])
})

test('a read-only file system', async t => {
  const { install } = makePlace(t)
  const env = withProgram(t, {
    mkdir: 'echo "mkdir: cannot create directory: Read-only file system" >&2; exit 1',
  })
  await assert.rejects(install({ env }), { kind: 'install', message: /is read-only/ })
})

test('a binary that was changed on the way', async t => {
  const { bin, install } = makePlace(t)
  const env = withProgram(t, { cat: '/bin/cat; echo more' })
  await assert.rejects(install({ env }), {
    kind: 'install',
    message: 'cannot install the agent: the transfer was incomplete',
  })
  assert.deepEqual(readdirSync(bin), [])
})

test('a file system where nothing may be executed', needs('mounts'), async t => {
  const { bin, install } = makePlace(t)
  mkdirSync(bin)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'noexec', 'none', bin], { stdio: 'ignore' })
  try {
    await assert.rejects(install(), { kind: 'install', hint: /noexec/ })
    assert.deepEqual(readdirSync(bin), [])
  } finally {
    execFileSync('umount', [bin])
  }
})

test('a login shell that prints', async t => {
  const { install } = makePlace(t)
  const env = withProgram(t, { sh: 'echo "Welcome to web1."' })
  await assert.rejects(install({ env }), {
    kind: 'noise',
    message: /prints to stdout: 'Welcome to web1\.'/,
  })
})

test('sudo that wants a password', async t => {
  const { install } = makePlace(t)
  const env = withProgram(t, { sudo: 'echo "sudo: a password is required" >&2; exit 1' })
  await assert.rejects(install({ env, user: 'ada' }), {
    kind: 'sudo',
    message: "cannot become root as 'ada': sudo needs a password",
    hint: /ada ALL=\(root\) NOPASSWD: ALL/,
  })
})

test('sudo that lets us in', async t => {
  const { bin, install } = makePlace(t)
  await install({ env: withProgram(t, { sudo: 'shift; exec "$@"' }), user: 'ada' })
  assert.deepEqual(readdirSync(bin), [NAME])
})

test('remains of a cut install go after a day', async t => {
  const { bin, install } = makePlace(t)
  mkdirSync(bin)
  for (const name of ['.new-old', '.new-young']) writeFileSync(join(bin, name), 'half')
  makeOld(join(bin, '.new-old'), 2)
  await install()
  assert.deepEqual(readdirSync(bin).sort(), ['.new-young', NAME])
})

test('old agents go beyond 64 MiB, but no young one and none that runs', async t => {
  const { bin, install } = makePlace(t)
  mkdirSync(bin)
  for (let age = 0; age < 9; age++) {
    const file = join(bin, `deptool-0.${age}-abc`)
    writeFileSync(file, Buffer.alloc(16 << 20))
    makeOld(file, age === 0 ? 0 : age + 1)
  }
  const running = join(bin, 'deptool-0.9-abc')
  execFileSync('cp', ['/bin/sleep', running])
  makeOld(running, 20)
  const { spawn } = await import('node:child_process')
  const child = spawn(running, ['60'])
  t.after(() => child.kill())
  await install()
  // The new one, four of 16 MiB less what the new one takes, and the one that runs.
  assert.deepEqual(readdirSync(bin).sort(), [
    'deptool-0.0-abc',
    'deptool-0.1-abc',
    'deptool-0.2-abc',
    'deptool-0.9-abc',
    NAME,
  ])
})

function makeOld(file: string, days: number): void {
  const then = Date.now() / 1000 - days * DAY
  utimesSync(file, then, then)
}
