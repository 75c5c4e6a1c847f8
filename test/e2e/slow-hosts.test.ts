/** Hosts that answer by dribs and drabs, or will not stop talking. */
import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { peakOf } from '../bench/peak-memory.ts'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld } from '../support/world.ts'
import { release } from './under-way.ts'

async function worldWithOne(t: TestContext) {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n' }, { hosts: 'real' })
  await world.deploy()
  world.write({ 'web1/a/x': 'two\n' })
  return { world, web1: world.host('web1') }
}

const deployed = '/var/lib/deptool/apps/a/current/x'

test('a line on which bytes trickle is waited for, unless the login takes too long', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  const relay = await world.relay('web1')
  relay.trickle(4000)
  await world
    .run('prod', '--yes')
    .stdout(/deployed to 1 host/)
    .stderr(/deployed/)
  assert.equal(web1.read(deployed), 'two\n')
  world.write({ 'web1/a/x': 'three\n' })
  appendFileSync(join(world.home, '.ssh/config'), '\nHost *\n  ConnectTimeout 2\n')
  relay.trickle(200)
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(
      /^ +<time> {2}web1 {2}cannot connect to '127.0.0.1:\d+': no answer\nfatal: cannot deploy 'prod': no host was changed\n$/,
    )
  assert.equal(web1.read(deployed), 'two\n')
})

test('on a slow line the operator is told that the agent is being installed', realHosts, async t => {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n' }, { hosts: 'real' })
  const relay = await world.relay('web1')
  relay.trickle(200_000)
  await world
    .runInTerminal(['prod', '--yes'], [[/ 1\.\d s {2}web1 {2}installing the agent/, '']])
    .stdout(/deployed to 1 host in 'prod'/)
})

test(
  'a login shell that writes 256 MiB to stderr costs neither memory nor the deployment',
  realHosts,
  async t => {
    const { world, web1 } = await worldWithOne(t)
    await web1.output("echo 'yes | head -c 256M >&2' > /root/.bashrc")
    let peak = 0
    const watch = setInterval(() => {
      peak = Math.max(peak, ...workingIn(world.repo).map(pid => peakOf(pid) ?? 0))
    }, 20)
    await world
      .run('prod', '--yes')
      .stdout(/deployed to 1 host/)
      .stderr(/deployed/)
      .finally(() => clearInterval(watch))
    assert.equal(web1.read(deployed), 'two\n')
    assert.ok(peak > 0 && peak < 160 * 1024, `${peak} KiB`)
    t.diagnostic(`${peak} KiB`)
  },
)

test('a login shell that never stops writing to stdout is named, and left', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  await web1.output("echo 'exec yes' > /root/.bashrc")
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(/^ +<time> {2}web1 {2}the login shell of 'root' prints to stdout: 'y'\n +hint: /)
  assert.equal(web1.read(deployed), 'one\n')
})

test('one that never stops writing to stderr is left by Ctrl-C', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  await web1.output("echo 'exec yes >&2' > /root/.bashrc")
  const relay = await world.relay('web1')
  const { outcome, kill } = world.start('prod', '--yes')
  const checked = outcome
    .exits('SIGINT')
    .stdout(anything)
    .stderr(/web1 {2}nothing changed\nfatal: /)
  await waitFor('the flood', () => relay.received > 10_000_000)
  kill('SIGINT')
  await checked
  assert.equal(web1.read(deployed), 'one\n')
})

test('a login shell that takes its time is waited for, and the operator is told', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  await web1.output("echo 'until test -e /run/go; do sleep 0.1; done' > /root/.bashrc")
  const { outcome, shows } = world.start('prod', '--yes')
  const checked = outcome
    .stdout(/deployed to 1 host/)
    .stderr(/^web1: no answer from the agent for <time>, still waiting\n +<time> {2}web1 {2}staged\n/)
  await shows(/still waiting/)
  await release(web1)
  await checked
  assert.equal(web1.read(deployed), 'two\n')
})

test('a systemd that does not answer is not waited for', realHosts, async t => {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n', ...SLEEPS }, { hosts: 'real' })
  await world.deploy()
  world.write({ 'web1/a/x': 'two\n' })
  const web1 = world.host('web1')
  web1.signalSystemd('SIGSTOP')
  try {
    const verified = world
      .run('verify', 'prod')
      .exits(1)
      .stderr(
        'web1  cannot be checked: the agent cannot verify the host: systemd did not answer within <time>\nfatal: cannot verify web1\n',
      )
    await world
      .run('prod', '--yes')
      .exits(4)
      .stdout(anything)
      .stderr(
        /web1 {2}rolled back: systemd did not answer within <time>\nfatal: rolled back on web1: it is as it was before\n$/,
      )
    await verified
  } finally {
    web1.signalSystemd('SIGCONT')
  }
  assert.equal(web1.read(deployed), 'one\n')
  await world
    .run('prod', '--yes')
    .stdout(/deployed to 1 host/)
    .stderr(anything)
  assert.equal(web1.read(deployed), 'two\n')
})

const SLEEPS = {
  'web1/a/systemd/a.service': '[Service]\nExecStart=sleep infinity\n[Install]\nWantedBy=multi-user.target\n',
  'web1/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"]}}',
}

/** The processes whose working directory that is. */
function workingIn(directory: string): number[] {
  const isThere = (pid: string) => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === directory
    } catch {
      return false // the process is gone
    }
  }
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && isThere(name))
    .map(Number)
}
