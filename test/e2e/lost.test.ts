/** The operator's side goes away, or changes its mind, while a host is being activated. */
import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { anything } from '../support/outcome.ts'
import type { Tree } from '../support/tree.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld } from '../support/world.ts'
import { buildFaultyAgent, placeFault } from './faults.ts'

/** A unit that is watched for as long as something can happen meanwhile. */
const slow = (content: string): Tree => ({
  'web1/a/x': content,
  'web1/a/systemd/a.service': '[Service]\nExecStart=/bin/sleep infinity\n',
  'web1/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"], "settle_ms": 1500}}',
})

const deployed = (host: TestHost) => host.read('/var/lib/deptool/apps/a/current/x')
const isUnderWay = async (host: TestHost) =>
  (await host.sh('grep -q "^[0-9]" /var/lib/deptool/journal')).code === 0
const isQuiet = async (host: TestHost) => !host.exists('/var/lib/deptool/journal')

/** Armed: everything runs, and the confirmation is waited for. */
const isSettled = async (host: TestHost) =>
  !(await isQuiet(host)) && host.read('/var/lib/deptool/lock').includes('"until"')

async function worldWithOne(t: Parameters<typeof makeWorld>[0]) {
  const world = await makeWorld(t, { 'web1/a/x': 'one' }, { hosts: 'real' })
  await world.deploy()
  world.write(slow('two'))
  return { world, web1: world.host('web1') }
}

test(
  'a connection that is cut during activation is made again, and the real outcome reported',
  realHosts,
  async t => {
    const { world, web1 } = await worldWithOne(t)
    const relay = await world.relay('web1')
    const { outcome } = world.start('prod', '--yes')
    const checked = outcome
      .stdout(/deployed to 1 host/)
      .stderr(/connection lost .*, asking again\n +<time> {2}web1 {2}deployed\n$/)
    await waitFor('an activation under way', () => isUnderWay(web1))
    relay.cut()
    await checked
    assert.equal(deployed(web1), 'two')
    await world.run('prod').stdout('prod is up to date (1 host)\n')
  },
)

test(
  'a host that is cut off for good undoes by itself, and the operator is told that nobody knows',
  realHosts,
  async t => {
    const { world, web1 } = await worldWithOne(t)
    await world.git('config', 'deptool.confirmTimeout', '2')
    const relay = await world.relay('web1')
    const { outcome } = world.start('prod', '--yes')
    const checked = outcome
      .exits(5)
      .stdout(anything)
      .stderr(/outcome unknown(.|\n)*fatal: cannot tell how deployment <id> ended on web1\nhint: /)
    await waitFor('an activation under way', () => isUnderWay(web1))
    relay.refuse()
    relay.cut()
    await checked
    await waitFor('the end of the deployment', () => isQuiet(web1))
    assert.equal(deployed(web1), 'one')
    assert.equal((await web1.unit('a.service')).load, 'not-found')
    assert.match(
      await web1.output('tail -n 1 /var/lib/deptool/log'),
      /"outcome":"undone","why":"it was not confirmed within 2 s"/,
    )
    relay.accept()
    await world.deploy()
    assert.equal(deployed(web1), 'two')
  },
)

test('an operator who is killed leaves a host that undoes by itself', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  await world.git('config', 'deptool.confirmTimeout', '1')
  const { outcome, kill } = world.start('prod', '--yes')
  const checked = outcome.exits('SIGKILL').stdout(anything).stderr(anything)
  await waitFor('an activation under way', () => isUnderWay(web1))
  kill('SIGKILL')
  await checked
  await waitFor('the end of the deployment', () => isQuiet(web1))
  assert.equal(deployed(web1), 'one')
})

test('Ctrl-C takes everything back, and waits for it', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  await world
    .runInTerminal(['prod', '--yes'], [['web1  watch 1', '\x03']])
    .exits(130)
    .stdout(/interrupted: the hosts are asked to undo(.|\n)*rolled back: the operator interrupted it/)
  await waitFor('the end of the deployment', () => isQuiet(web1))
  assert.equal(deployed(web1), 'one')
  assert.equal((await web1.unit('a.service')).load, 'not-found')
})

test('a second operator is told who holds the lock, since when and for what', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  await world.commit()
  const bob = await world.colleague('Bob')
  await bob.git('fetch', '--quiet', 'origin', 'refs/deptool/*:refs/deptool/*')
  const ada = world.start('prod', '--yes').outcome.stdout(anything).stderr(anything)
  await waitFor('an activation under way', () => isUnderWay(web1))
  await bob
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(
      /web1 {2}refused: locked by Ada <ada@example.com> since .* \(deployment <id>\)\n +hint: try again when it has ended, or queue behind it with --wait\nfatal: cannot deploy 'prod': no host was changed\n/,
    )
  await ada
  assert.equal(deployed(web1), 'two')
})

test('a connection that is cut before anything was activated changes nothing', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  const relay = await world.relay('web1', { roundTripMs: 300 })
  const { outcome } = world.start('prod', '--yes')
  const checked = outcome
    .exits(1)
    .stdout(anything)
    .stderr(
      /web1 {2}(lost the connection: .*|nothing changed)\nfatal: cannot deploy 'prod': no host was changed\n$/,
    )
  await waitFor('the lock', async () => !(await isQuiet(web1)))
  relay.cut()
  await checked
  await waitFor('the end of the deployment', () => isQuiet(web1))
  assert.equal(deployed(web1), 'one')
})

test('sshd that is killed under the agent', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  const { outcome } = world.start('prod', '--yes')
  const checked = outcome
    .stdout(/deployed to 1 host/)
    .stderr(/connection lost .*, asking again\n.*web1 {2}deployed\n$/)
  await waitFor('an activation under way', () => isUnderWay(web1))
  await web1.output("pkill -KILL -f '^sshd: root'")
  await checked
  assert.equal(deployed(web1), 'two')
})

test('a host that stands still for a while is asked when it goes on', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  appendFileSync(join(world.home, '.ssh/config'), '\nHost *\n  ServerAliveInterval 1\n  ConnectTimeout 2\n')
  const { outcome } = world.start('prod', '--yes')
  const checked = outcome
    .stdout(/deployed to 1 host/)
    .stderr(/connection lost .*, asking again\n.*web1 {2}deployed\n$/)
  await waitFor('an activation under way', () => isUnderWay(web1))
  web1.freeze()
  await new Promise(resolve => setTimeout(resolve, 6000))
  web1.thaw()
  await checked
  assert.equal(deployed(web1), 'two')
})

test('a host that holds and dies before it can say so is reported as holding', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  placeFault(web1, buildFaultyAgent(), 'holds')
  await world
    .run('prod', '--yes')
    .stdout(/deployed to 1 host/)
    .stderr(
      /connection lost \(the agent ended by itself, signal SIGKILL\), asking again\n.*web1 {2}deployed\n$/,
    )
  assert.equal(deployed(web1), 'two')
  await world.run('prod').stdout('prod is up to date (1 host)\n')
})

test('who waits for a confirmation that will not come, and how long yet', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  await world.commit()
  const bob = await world.colleague('Bob')
  await bob.git('fetch', '--quiet', 'origin', 'refs/deptool/*:refs/deptool/*')
  bob.write({ 'web1/a/x': 'three' })
  await world.git('config', 'deptool.confirmTimeout', '6')
  const { outcome, kill } = world.start('prod', '--yes')
  const killed = outcome.exits('SIGKILL').stdout(anything).stderr(anything)
  await waitFor('an activation under way', () => isUnderWay(web1))
  kill('SIGKILL')
  await killed
  await waitFor('the deployment to settle', () => isSettled(web1))
  await bob
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(/\(deployment <id>; settled, waits for its confirmation, <time> left\)\n/)
  // With --wait, what comes after is Bob's.
  await bob
    .run('prod', '--yes', '--wait')
    .stdout(/deployed to 1 host/)
    .stderr(/^ +<time> {2}web1 {2}waits, locked by Ada .* left\)\n +<time> {2}web1 {2}staged\n/)
  assert.equal(deployed(web1), 'three')
})

test('--wait goes on when the other deployment has ended, or gives up', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  const failing = '[Service]\nExecStartPre=/bin/sleep 4\nExecStart=/bin/false\n'
  world.write({ 'web1/a/systemd/a.service': failing })
  const bob = await world.colleague('Bob')
  await bob.git('fetch', '--quiet', 'origin', 'refs/deptool/*:refs/deptool/*')
  bob.write({ 'web1/a/x': 'three' })
  const ada = world
    .start('prod', '--yes')
    .outcome.exits(4)
    .stdout(anything)
    .stderr(/web1 {2}rolled back/)
  await waitFor('an activation under way', () => isUnderWay(web1))
  await bob
    .run('prod', '--yes', '--wait=1')
    .exits(1)
    .stdout(anything)
    .stderr(/waits, locked by Ada (.|\n)*refused: locked by Ada .*\n(.|\n)*no host was changed\n$/)
  await bob
    .run('prod', '--yes', '--wait')
    .stdout(/deployed to 1 host/)
    .stderr(
      /^ +<time> {2}web1 {2}waits, locked by Ada <ada@example.com> since .*\n +<time> {2}web1 {2}staged\n/,
    )
  await ada
  assert.equal(deployed(web1), 'three')
})

test(
  '--wait behind a deployment that holds: the plan is stale then, and who deployed is told',
  realHosts,
  async t => {
    const { world, web1 } = await worldWithOne(t)
    await world.commit()
    const bob = await world.colleague('Bob')
    await bob.git('fetch', '--quiet', 'origin', 'refs/deptool/*:refs/deptool/*')
    bob.write({ 'web1/a/x': 'three' })
    const ada = world
      .run('prod', '--yes')
      .stdout(/deployed to 1 host/)
      .stderr(anything)
    await waitFor('an activation under way', () => isUnderWay(web1))
    await bob
      .run('prod', '--yes', '--wait')
      .exits(1)
      .stdout(anything)
      .stderr(
        /web1 {2}waits, locked by Ada (.|\n)*web1 {2}refused: it runs <oid>, and not what the plan starts from\n(.|\n)*Author: Ada (.|\n)*fatal: cannot deploy 'prod': web1 had changed; no host was changed now\nhint: run the same command again: its plan starts from what runs there now\n$/,
      )
    await ada
    assert.equal(deployed(web1), 'two')
    await bob.deploy()
    assert.equal(deployed(web1), 'three')
  },
)

test(
  'an operator who was stopped for longer than a host waits is told that it has undone',
  realHosts,
  async t => {
    const { world, web1 } = await worldWithOne(t)
    await world.git('config', 'deptool.confirmTimeout', '1')
    const { outcome, kill } = world.start('prod', '--yes')
    const checked = outcome
      .exits(4)
      .stdout(anything)
      .stderr(/web1 {2}rolled back: it was not confirmed within <time>\nfatal: rolled back on web1/)
    await waitFor('an activation under way', () => isUnderWay(web1))
    kill('SIGSTOP')
    await waitFor('the end of the deployment', () => isQuiet(web1))
    kill('SIGCONT')
    await checked
    assert.equal(deployed(web1), 'one')
  },
)

test('the death of an agent frees the lock', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  const { outcome, kill } = world.start('prod', '--yes')
  const killed = outcome.exits('SIGKILL').stdout(anything).stderr(anything)
  await waitFor('an activation under way', () => isUnderWay(web1))
  kill('SIGKILL')
  await killed
  await web1.output("pkill -KILL -f '^/var/lib/deptool/bin/deptool'")
  await world
    .run('prod', '--yes')
    .stdout(/deployed to 1 host/)
    .stderr(/web1 {2}an earlier deployment had been cut off: <id> was undone\n/)
  assert.equal(deployed(web1), 'two')
})

test(
  'an agent that stumbles once it has settled is asked again, and nobody takes its word for a refusal',
  realHosts,
  async t => {
    const { world, web1 } = await worldWithOne(t)
    placeFault(web1, buildFaultyAgent(), 'stumbles')
    await world
      .run('prod', '--yes')
      .exits(4)
      .stdout(anything)
      .stderr(
        /connection lost \(.*\), asking again\n.*web1 {2}rolled back: the agent was killed or lost power\nfatal: rolled back on web1/,
      )
    assert.equal(deployed(web1), 'one')
    assert.ok(await isQuiet(web1))
  },
)
