/** Agents that die or stumble at the last moment, and an operator who was stopped. */
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld } from '../support/world.ts'
import { buildFaultyAgent, placeFault } from './faults.ts'
import { deployed, isQuiet, isUnderWay, release, worldWithOne } from './under-way.ts'

test('a host that holds and dies before it can say so is reported as holding', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t)
  await release(web1)
  placeFault(web1, buildFaultyAgent(), 'holds')
  await world
    .run('prod', '--yes')
    .stdout(/deployed to 1 host/)
    .stderr(/the agent ended unexpectedly, signal SIGKILL; reconnecting\n.*web1 {2}deployed\n$/)
  assert.equal(deployed(web1), 'two')
  await world.run('prod').stdout('prod is up to date (1 host)\n')
})

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
      .stderr(/web1 {2}rolled back: not confirmed within <time>\nfatal: rolled back on web1/)
    await waitFor('an activation under way', () => isUnderWay(web1))
    kill('SIGSTOP')
    await release(web1)
    await waitFor('the end of the deployment', () => isQuiet(web1))
    kill('SIGCONT')
    await checked
    assert.equal(deployed(web1), 'one')
  },
)

test(
  'an agent that stumbles once it has settled is asked again, and nobody takes its word for a refusal',
  realHosts,
  async t => {
    const { world, web1 } = await worldWithOne(t)
    await release(web1)
    placeFault(web1, buildFaultyAgent(), 'stumbles')
    await world
      .run('prod', '--yes')
      .exits(4)
      .stdout(anything)
      .stderr(
        /the disk reports an I\/O error; reconnecting\n.*web1 {2}rolled back: the agent was killed, or the host lost power\nfatal: rolled back on web1/,
      )
    assert.equal(deployed(web1), 'one')
    assert.ok(isQuiet(web1))
  },
)

for (const transport of ['ssh2', 'openssh'])
  test(`a connection by ${transport} that broke while the plan was read is made anew`, realHosts, async t => {
    const world = await makeWorld(t, { 'web1/a/x': 'one' }, { hosts: 'real' })
    const relay = await world.relay('web1')
    await world.git('config', 'deptool.transport', transport)
    // The pager is quit when the file is there.
    const [read, quit] = [join(world.home, 'read'), join(world.home, 'quit')]
    await world.git('config', 'core.pager', `touch ${read}; until test -e ${quit}; do sleep 0.1; done; cat`)
    const outcome = world.runInTerminal(
      ['prod'],
      [
        ['[y/N/d]', 'd\n'],
        ['[y/N/d]', 'y\n'],
      ],
    )
    const checked = outcome.stdout(/deployed to 1 host/)
    await waitFor('the diff on the screen', async () => existsSync(read))
    // sshd calls its process so when somebody has logged in.
    const isMade = async () => (await world.host('web1').sh("pgrep -f '^sshd: root(@notty)? *$'")).code === 0
    await waitFor('the connection', isMade)
    assert.equal(relay.connections, 1)
    relay.cut()
    writeFileSync(quit, '')
    await checked
    assert.equal(deployed(world.host('web1')), 'one')
  })
