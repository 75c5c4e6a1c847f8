/** --atomic: all hosts hold, or none does. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import type { Tree } from '../support/tree.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld } from '../support/world.ts'
import { buildFaultyAgent, placeFault } from './faults.ts'
import { deployed, HELD, isHeld, isQuiet, isSettled, release } from './under-way.ts'

/** web1 takes no time; web2 runs `service`. */
const next = (service: string): Tree => ({
  'web1/a/x': 'two',
  'web2/a/x': 'two',
  'web2/a/systemd/a.service': `[Service]\nExecStart=/bin/sleep infinity\n${service}`,
  'web2/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"]}}',
})

async function twoHosts(t: TestContext, service = '') {
  const world = await makeWorld(t, { 'web1/a/x': 'one', 'web2/a/x': 'one' }, { hosts: 'real' })
  await world.deploy()
  world.write(next(service))
  return { world, web1: world.host('web1'), web2: world.host('web2') }
}

test('a host waits for a slower one, for longer than for its confirmation', realHosts, async t => {
  const { world, web1, web2 } = await twoHosts(t, HELD)
  await world.git('config', 'deptool.confirmTimeout', '1')
  const checked = world
    .run('prod', '--yes', '--atomic')
    .stdout(/deployed to 2 hosts/)
    .stderr(
      /web1 {2}settled, waiting for the other hosts\n(.|\n)*web2 {2}settled, waiting for the other hosts\n(.|\n)*deployed\n/,
    )
  await waitFor('web2 to start its unit', () => isHeld(web2))
  await waitFor('web1 to settle', () => isSettled(web1))
  // For longer than it waits for a confirmation.
  await sleep(1500)
  assert.equal(isQuiet(web1), false)
  await release(web2)
  await checked
  assert.deepEqual([deployed(web1), deployed(web2)], ['two', 'two'])
})

test('one that fails takes the others back, without --atomic it does not', realHosts, async t => {
  const { world, web1, web2 } = await twoHosts(t, `${HELD}ExecStartPre=/bin/false\n`)
  await world.git('config', 'deptool.atomic', 'true')
  const checked = world
    .run('prod', '--yes')
    .exits(4)
    .stdout(anything)
    .stderr(
      /web2 {2}rolled back: a.service ExecStartPre exited with 1\n(.|\n)*web1 {2}rolled back: web2 did not succeed \(--atomic\)\nfatal: rolled back on web1, web2: they are as they were before\nhint: fix the cause/,
    )
  await waitFor('web1 to settle', () => isSettled(web1))
  await release(web2)
  await checked
  assert.deepEqual([deployed(web1), deployed(web2)], ['one', 'one'])
  await world
    .run('prod', '--yes', '--no-atomic')
    .exits(4)
    .stdout(anything)
    .stderr(
      /fatal: deployed to 1 of 2 hosts, but rolled back on web2: it is as it was before\nhint: fix the cause/,
    )
  assert.deepEqual([deployed(web1), deployed(web2)], ['two', 'one'])
})

test('new connections are kept while others take their time', realHosts, async t => {
  const { world, web1, web2 } = await twoHosts(t, HELD)
  await world.git('config', 'deptool.confirmTimeout', '1')
  const { outcome, shows } = world.start('prod', '--yes', '--atomic', '--confirm=reconnect')
  const checked = outcome
    .stdout(/deployed to 2 hosts/)
    .stderr(/web1 {2}settled, confirming over a new connection\n/)
  await shows(/web1 {2}settled/)
  // For longer than it waits for a confirmation.
  await sleep(1500)
  await release(web2)
  const { stderr } = await checked
  assert.doesNotMatch(stderr, /lost|no new connection/)
  assert.deepEqual([deployed(web1), deployed(web2)], ['two', 'two'])
})

test('one that is lost takes the others back, and undoes by itself', realHosts, async t => {
  const { world, web1, web2 } = await twoHosts(t, HELD)
  await world.git('config', 'deptool.confirmTimeout', '2')
  const relay = await world.relay('web2')
  const checked = world
    .run('prod', '--yes', '--atomic')
    .exits(4)
    .stdout(anything)
    .stderr(
      /web2 {2}.*; reconnecting\n(.|\n)*fatal: rolled back on web1, web2: they are as they were before\n$/,
    )
  await waitFor('web2 to start its unit', () => isHeld(web2))
  relay.cut()
  await release(web2)
  await checked
  assert.deepEqual([deployed(web1), deployed(web2)], ['one', 'one'])
})

test('an operator who is killed leaves hosts that undo by themselves', realHosts, async t => {
  const { world, web1, web2 } = await twoHosts(t, HELD)
  await world.git('config', 'deptool.confirmTimeout', '1')
  const { outcome, kill } = world.start('prod', '--yes', '--atomic')
  const checked = outcome.exits('SIGKILL').stdout(anything).stderr(anything)
  await waitFor('web2 to start its unit', () => isHeld(web2))
  kill('SIGKILL')
  await release(web2)
  await checked
  for (const host of [web1, web2]) await waitFor('the end', () => isQuiet(host))
  assert.deepEqual([deployed(web1), deployed(web2)], ['one', 'one'])
})

test('a host that dies when all have agreed is told apart', realHosts, async t => {
  const { world, web1, web2 } = await twoHosts(t)
  const agent = buildFaultyAgent()
  placeFault(web2, agent, 'confirmed')
  await world
    .run('prod', '--yes', '--atomic')
    .exits(4)
    .stdout(anything)
    .stderr(
      /web2 {2}.*; reconnecting\n(.|\n)*web2 {2}rolled back: the agent was killed, or the host lost power\nfatal: deployed to 1 of 2 hosts, but rolled back on web2: it is as it was before\nhint: the connection to web2 was lost while the hosts were being confirmed; run the same command again to update web2\n$/,
    )
  assert.deepEqual([deployed(web1), deployed(web2)], ['two', 'one'])
  placeFault(web2, agent, null)
  await world.deploy('--atomic')
  assert.deepEqual([deployed(web1), deployed(web2)], ['two', 'two'])
})

test('one that is lost for good once all have agreed, while the other already holds', realHosts, async t => {
  const { world, web1, web2 } = await twoHosts(t, HELD)
  await world.git('config', 'deptool.confirmTimeout', '3')
  const relay = await world.relay('web2')
  const checked = world
    .run('prod', '--yes', '--atomic')
    .exits(5)
    .stdout(anything)
    .stderr(
      /web1 {2}deployed\n(.|\n)*web2 {2}outcome unknown: (.|\n)*fatal: cannot tell how deployment <id> ended on web2\nhint: a host that got no confirmation rolls back by itself; when it is reachable, run 'git deploy sync prod' to find out\n$/,
    )
  await waitFor('web2 to start its unit', () => isHeld(web2))
  relay.slowDown(2000)
  await release(web2)
  await waitFor('web1 to hold', () => isQuiet(web1))
  relay.refuse()
  await checked
  assert.deepEqual([deployed(web1), deployed(web2)], ['two', 'one'])
  relay.accept()
  await world
    .run('sync', 'prod')
    .stdout(/^web2 {2}deployment <id>: rolled back after <time>: not confirmed within <time>$/m)
  await world.deploy('--atomic')
  assert.deepEqual([deployed(web1), deployed(web2)], ['two', 'two'])
})
