/** Several operators at one host: who has the lock, since when, for how long yet; and who waits. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import { waitFor } from '../support/wait-for.ts'
import { deployed, HELD, isSettled, isUnderWay, release, worldWithOne } from './under-way.ts'

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
      /web1 {2}refused: locked by Ada <ada@example.com> since .* \(deployment <id>\)\n +hint: try again later, or add --wait to wait until it has ended\nfatal: cannot deploy 'prod': no host was changed\n/,
    )
  await release(web1)
  await ada
  assert.equal(deployed(web1), 'two')
})

test('who waits for a confirmation that will not come, and how long yet', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  await world.commit()
  const bob = await world.colleague('Bob')
  await bob.git('fetch', '--quiet', 'origin', 'refs/deptool/*:refs/deptool/*')
  bob.write({ 'web1/a/x': 'three' })
  await world.git('config', 'deptool.confirmTimeout', '8')
  const { outcome, kill } = world.start('prod', '--yes')
  const killed = outcome.exits('SIGKILL').stdout(anything).stderr(anything)
  await waitFor('an activation under way', () => isUnderWay(web1))
  kill('SIGKILL')
  await killed
  await release(web1)
  await waitFor('the deployment to settle', () => isSettled(web1))
  await bob
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(/\(deployment <id>; waiting for confirmation, <time> left\)\n/)
  // With --wait, what comes after is Bob's.
  await bob
    .run('prod', '--yes', '--wait')
    .stdout(/deployed to 1 host/)
    .stderr(/^ +<time> {2}web1 {2}waiting: locked by Ada .* left\)\n +<time> {2}web1 {2}staged\n/)
  assert.equal(deployed(web1), 'three')
})

test('--wait goes on when the other deployment has ended, or gives up', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  world.write({ 'web1/a/systemd/a.service': `[Service]\n${HELD}ExecStart=/bin/false\n` })
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
    .stderr(/waiting: locked by Ada (.|\n)*refused: locked by Ada .*\n(.|\n)*no host was changed\n$/)
  const { outcome, shows } = bob.start('prod', '--yes', '--wait')
  const waits = outcome
    .stdout(/deployed to 1 host/)
    .stderr(
      /^ +<time> {2}web1 {2}waiting: locked by Ada <ada@example.com> since .*\n +<time> {2}web1 {2}staged\n/,
    )
  await shows(/waiting: locked by/)
  await release(web1)
  await waits
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
    const { outcome, shows } = bob.start('prod', '--yes', '--wait')
    const waits = outcome
      .exits(1)
      .stdout(anything)
      .stderr(
        /web1 {2}waiting: locked by Ada (.|\n)*web1 {2}refused: the host runs <oid>, but the plan does not start from this commit\n(.|\n)*Author: Ada (.|\n)*fatal: cannot deploy 'prod': web1 has changed since this repository last heard of it; no host was changed\nhint: run the same command again: the new plan starts from what the hosts run now\n$/,
      )
    await shows(/waiting: locked by/)
    await release(web1)
    await waits
    await ada
    assert.equal(deployed(web1), 'two')
    await bob.deploy()
    assert.equal(deployed(web1), 'three')
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
  await release(web1)
  await world
    .run('prod', '--yes')
    .stdout(/deployed to 1 host/)
    .stderr(/web1 {2}an earlier deployment was interrupted: <id> was rolled back\n/)
  assert.equal(deployed(web1), 'two')
})
