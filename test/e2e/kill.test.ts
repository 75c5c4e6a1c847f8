/** kill -9 of the real agent before each step of an update, on a host with systemd; then the next session. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import { beforeTheUpdate, portrait, STEPS } from './every-step.ts'
import { buildFaultyAgent, placeFault } from './faults.ts'

test('an update that is killed before any of its steps is undone by the next session', realHosts, async t => {
  const faulty = buildFaultyAgent()
  const world = await beforeTheUpdate(t)
  const web1 = world.host('web1')
  const before = await portrait(web1)
  for (let at = 0; at < STEPS; at++) {
    await t.test(`before step ${at}`, async () => {
      placeFault(web1, faulty, at)
      await world
        .run('prod', '--yes')
        .exits(4)
        .stdout(anything)
        .stderr(
          /web1 {2}.*; reconnecting\n(.|\n)*web1 {2}rolled back: the agent was killed, or the host lost power/,
        )
      assert.deepEqual(await portrait(web1), before)
    })
  }
  placeFault(web1, faulty, STEPS)
  await world
    .run('prod', '--yes')
    .stdout(/deployed to 1 host/)
    .stderr(anything)
  assert.equal((await web1.unit('comes.service')).active, 'active')
  assert.equal((await web1.unit('leaves.service')).load, 'not-found')
  assert.equal(web1.read('/etc/adopted.conf'), 'adopted\n')
  assert.equal(
    await web1.output('stat -L -c "%a %U" /etc/adopted.conf /run/deptool-c'),
    '640 deptool-c\n750 deptool-c\n',
  )
})
