/**
 * Deployments that are cut off under one build and ended by another, on a host with systemd: either all is back, or the
 * build refuses and keeps what it found.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { before, suite, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { Driver } from '../support/agent-driver.ts'
import { ensureOldBuild, whyNoOldBuild } from '../support/old-build.ts'
import { anything } from '../support/outcome.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld, type World } from '../support/world.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BASE = '/var/lib/deptool'
const EVERY = process.env['GIT_DEPLOY_MEETINGS'] === 'every'
const BACK = ['web1  ok']

const unit = (more: string) =>
  `[Service]\n${more}ExecStart=/bin/sleep infinity\n\n[Install]\nWantedBy=a.target\n`
const manifest = (units: readonly string[], link: string, validate: readonly string[]) =>
  JSON.stringify({
    systemd: { units_enabled: units, settle_ms: 0 },
    symlinks: { [link]: 'x' },
    validate: [validate],
  })
const ONE = {
  'web1/a/x': 'one\n',
  'web1/a/systemd/a.service': unit(''),
  'web1/a/manifest.json': manifest(['a.service'], '/etc/one.conf', ['true']),
}
/** It takes its time, so that it can be cut off everywhere. */
const TWO = {
  'web1/a/x': 'two\n',
  'web1/a/systemd/a.service': unit(
    'ExecStartPre=/bin/sleep 1\nExecStop=/bin/sh -c "touch /run/undoing; sleep 2"\n',
  ),
  'web1/a/systemd/b.service': unit('').replace('a.target', 'b.target'),
  'web1/a/manifest.json': manifest(['a.service', 'b.service'], '/etc/two.conf', ['sleep', '1']),
}

const MOMENTS: Readonly<Record<string, (host: TestHost) => Promise<boolean>>> = {
  staged: async host => host.exists(`${BASE}/journal`),
  activating: async host => (await host.sh(`grep -q '^[0-9]' ${BASE}/journal`)).code === 0,
  settled: async host => (await host.sh(`grep -q '"until"\\|"ticks"' ${BASE}/lock`)).code === 0,
  undoing: async host => host.exists('/run/undoing'),
}

suite('cut off under one build, ended by another', { skip: whyNot() }, () => {
  let old = ''
  let lesser = ''
  before(async () => {
    old = await ensureOldBuild()
    const out = join(ROOT, 'build/lesser')
    const build = ['agent/build/build.mjs', '--entry', 'test/hosts/lesser-agent.ts', '--out', out]
    execFileSync(process.execPath, build, { cwd: ROOT, stdio: 'inherit' })
    lesser = join(out, 'deptool-linux-x86_64')
  })

  for (const [row, [moment, isReached]] of Object.entries(MOMENTS).entries()) {
    const meeting = (column: number, name: string, act: (t: TestContext) => Promise<void>) => {
      // Each moment with one of the meetings, and each meeting with one of the moments.
      if (EVERY || column === row % 3) test(`${moment} under ${name}`, act)
    }

    meeting(0, 'an old build, ended by this one', async t => {
      const { world, other, host, was } = await deployed(t, old)
      await cutOff(other, host, isReached)
      await world.run('ping', 'prod').stdout(anything)
      await isBack(world, host, was)
    })

    meeting(1, 'this build, found by a lesser one', async t => {
      const { world, host, was } = await deployed(t, old)
      await cutOff(world, host, isReached)
      const journal = host.read(`${BASE}/journal`)
      copyFileSync(lesser, `${host.root()}/root/lesser`)
      const words = await wordsOf(host)
      if (moment === 'staged') {
        // Nothing has begun yet that it would not know: it ends what it found.
        assert.match(words, /pong/)
      } else {
        assert.match(words, /was cut off on this host under git-deploy \d/)
        assert.equal(host.read(`${BASE}/journal`), journal)
        await world.run('ping', 'prod').stdout(anything)
      }
      await isBack(world, host, was)
    })

    meeting(2, 'this build, found by an old one', async t => {
      const { world, other, host, was } = await deployed(t, old)
      await cutOff(world, host, isReached)
      const journal = host.read(`${BASE}/journal`)
      // It knows nothing of formats, and takes the journal for damaged.
      await other.run('ping', 'prod').stdout(anything)
      other.write({ 'web1/a/x': 'three\n' })
      await other
        .run('prod', '--yes')
        .exits(1)
        .stdout(anything)
        .stderr(/its journal cannot be read/)
      assert.equal(host.read(`${BASE}/journal.damaged`), journal)
      await world.run('ping', 'prod').stdout(anything)
      await isBack(world, host, was)
    })
  }
})

function whyNot(): string | false {
  return realHosts.skip || (whyNoOldBuild() ?? false)
}

/** A host with the first version, and an operator of each build. */
async function deployed(t: TestContext, old: string) {
  const world = await makeWorld(t, ONE, { hosts: 'real' })
  await world.deploy()
  const other = await world.colleague('Bob')
  mkdirSync(join(other.home, 'bin'), { recursive: true })
  symlinkSync(join(old, 'bin/git-deploy'), join(other.home, 'bin/git-deploy'))
  await other.run('sync', 'prod').stdout(anything)
  const host = world.host('web1')
  return { world, other, host, was: await stateOf(host) }
}

/** The second version, up to a moment: then the agent and its operator are gone at once. */
async function cutOff(
  operator: World<TestHost>,
  host: TestHost,
  isReached: (host: TestHost) => Promise<boolean>,
): Promise<void> {
  operator.write(TWO)
  await operator.git('config', 'deptool.confirmTimeout', '2')
  await host.sh(`rm -f ${BASE}/lock`)
  const { outcome, kill } = operator.start('prod', '--yes')
  const ended = outcome.exits('SIGKILL').stdout(anything).stderr(anything)
  await waitFor('the deployment', async () => host.exists(`${BASE}/journal`))
  if (isReached !== MOMENTS['staged']) {
    await waitFor('its first step', () => MOMENTS['activating']!(host))
    // Who is stopped neither confirms nor asks.
    kill('SIGSTOP')
  }
  await waitFor('the moment', () => isReached(host))
  kill('SIGSTOP')
  await host.output(`pkill -KILL -f '^${BASE}/bin/deptool-'`)
  kill('SIGKILL')
  await ended
}

async function isBack(world: World<TestHost>, host: TestHost, was: readonly string[]): Promise<void> {
  assert.ok(!host.tree(BASE).some(line => /journal/.test(line)))
  assert.deepEqual(await stateOf(host), was)
  const outcomes = host
    .read(`${BASE}/log`)
    .trimEnd()
    .split('\n')
    .flatMap(line => JSON.parse(line).outcome ?? [])
  assert.ok(
    outcomes.every(outcome => outcome === 'held' || outcome === 'undone'),
    outcomes.join(' '),
  )
  const { stdout } = await world.run('verify', 'prod').stdout(anything)
  assert.deepEqual(stdout.split('\n').slice(0, 1), BACK)
}

/** All that a deployment touches. */
async function stateOf(host: TestHost): Promise<string[]> {
  const units = await Promise.all(['a.service', 'b.service'].map(name => host.unit(name)))
  const links = ['one', 'two'].map(name => `${host.readlink(`/etc/${name}.conf`)}`)
  const told = units.map(({ load, active, enabled, needsReload }) =>
    [load, active, enabled, needsReload].join(),
  )
  return [...host.tree(`${BASE}/apps`), ...host.tree('/etc/systemd/system'), ...links, ...told]
}

/** What the lesser agent says to somebody who only pings. */
async function wordsOf(host: TestHost): Promise<string> {
  const driver = new Driver('/', {}, host.inside('/root/lesser')).say({ type: 'ping' })
  await driver.next()
  const reply = await driver.next()
  await driver.end()
  return JSON.stringify(reply)
}
