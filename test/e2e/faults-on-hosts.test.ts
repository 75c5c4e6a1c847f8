/**
 * Faults on real hosts, each before steps of an update with every kind of step: what the agent tells, and what the
 * next session makes of the host. A sample in `npm test`, every step in `npm run test:faults`; the agent is killed
 * before each step in kill.test.ts, and the simulated matrix is test/agent/fault-matrix.test.ts.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { anything } from '../support/outcome.ts'
import { waitFor } from '../support/wait-for.ts'
import type { World } from '../support/world.ts'
import { beforeTheUpdate, portrait, STEPS } from './every-step.ts'
import { buildFaultyAgent, placeFault } from './faults.ts'

const EVERY = process.env['GIT_DEPLOY_FAULTS'] === 'every'

/** The steps before which the fault hits: in a sample each fault has its own. */
function stepsFrom(first: number): number[] {
  return Array.from({ length: STEPS }, (_, at) => at).filter(at => EVERY || at % 9 === first)
}

interface Fault {
  /** Done once, before anything is deployed. */
  readonly prepare?: string
  /** What happens before the step. */
  readonly command: string
  /** Ends the trouble. */
  readonly mend?: string
  readonly told: RegExp
}

const faults: Readonly<Record<string, Fault>> = {
  SIGTERM: { command: 'kill -TERM $PPID', told: /web1 {2}rolled back: the agent was terminated/ },
  ENOSPC: {
    prepare: 'mount -t tmpfs -o size=16m,nr_inodes=500,mode=755 tmpfs /var/lib/deptool',
    command: 'cd /var/lib/deptool/bin; cat /dev/zero >fill; n=0; while : >fill$n; do n=$((n+1)); done',
    mend: 'rm /var/lib/deptool/bin/fill*',
    told: /web1 {2}.*no space/i,
  },
  EROFS: {
    prepare: 'mount --bind /etc /etc',
    command: 'mount -o remount,bind,ro /etc',
    mend: 'mount -o remount,bind,rw /etc',
    told: /web1 {2}.*read-only/i,
  },
}

for (const [first, [name, { prepare = '', command, mend = 'true', told }]] of Object.entries(
  faults,
).entries())
  test(`${name} before a step`, realHosts, async t => {
    const world = await beforeTheUpdate(t, { prepare: `mkdir -p /var/lib/deptool; ${prepare}` })
    const web1 = world.host('web1')
    const before = await portrait(web1)
    const agent = buildFaultyAgent()
    let run = 0
    for (const at of stepsFrom(first))
      await t.test(`before step ${at}`, async () => {
        placeFault(web1, agent, at, command)
        const { code, stdout, stderr } = await world.execute(['git', 'deploy', 'prod', '--yes'])
        await web1.output(mend)
        // Nothing is written to /etc any more when units have been enabled: it may be read-only then.
        if (name === 'EROFS' && code === 0) return
        run++
        assert.equal(code, 4, stdout + stderr)
        assert.match(stderr, told)
        await world.run('sync').stdout(anything).stderr(anything)
        assert.deepEqual(await portrait(web1), before)
      })
    t.diagnostic(`${run} steps`)
  })

const UNDO = 'kill -TERM $PPID'
/** How many names the undo of the whole update changes, at the least. */
const UNDONE_NAMES = 35

test('the agent is killed while it undoes', realHosts, async t => {
  const world = await beforeTheUpdate(t)
  const web1 = world.host('web1')
  const before = await portrait(web1)
  const agent = buildFaultyAgent()
  for (const after of namesFrom(4))
    await t.test(`after ${after} names`, async () => {
      placeFault(web1, agent, STEPS - 1, UNDO, { after, command: 'kill -KILL $PPID' })
      await world.run('prod', '--yes').exits(4).stdout(anything).stderr(LOST)
      assert.deepEqual(await portrait(web1), before)
    })
})

test('the power goes while the agent undoes', realHosts, async t => {
  const world = await beforeTheUpdate(t, { storage: 'image' })
  const web1 = world.host('web1')
  const before = await portrait(web1)
  const agent = buildFaultyAgent()
  for (const after of namesFrom(7))
    await t.test(`after ${after} names`, async () => {
      placeFault(web1, agent, STEPS - 1, UNDO, { after, command: HANG })
      await cutPowerWhenReached(world)
      assert.deepEqual(await portrait(web1), before)
    })
})

test('the power goes before a step, and with it what was not synced', realHosts, async t => {
  const world = await beforeTheUpdate(t, { storage: 'image' })
  const web1 = world.host('web1')
  const before = await portrait(web1)
  const agent = buildFaultyAgent()
  for (const at of stepsFrom(3))
    await t.test(`before step ${at}`, async () => {
      placeFault(web1, agent, at, HANG)
      await cutPowerWhenReached(world)
      assert.deepEqual(await portrait(web1), before)
    })
})

function namesFrom(first: number): number[] {
  return Array.from({ length: UNDONE_NAMES }, (_, after) => after).filter(
    after => EVERY || after % 13 === first,
  )
}

const HANG = 'touch /run/deptool-reached; sleep 600'
const LOST = /web1 {2}rolled back: the agent was killed, or the host lost power/

async function cutPowerWhenReached(world: World<TestHost>): Promise<void> {
  const web1 = world.host('web1')
  await web1.output('sync -f /root')
  const running = world.start('prod', '--yes')
  const outcome = running.outcome.exits(4).stdout(anything).stderr(LOST)
  await waitFor('the fault', () => web1.exists('/run/deptool-reached'))
  await web1.powerCut()
  await outcome
}

test('the power goes as soon as a deployment is told to hold, or to be undone', realHosts, async t => {
  const world = await beforeTheUpdate(t, { storage: 'image' })
  const web1 = world.host('web1')
  const before = await portrait(web1)
  const agent = buildFaultyAgent()
  placeFault(web1, agent, STEPS - 1, 'kill -TERM $PPID')
  await web1.output('sync -f /root')
  await world.run('prod', '--yes').exits(4).stdout(anything).stderr(anything)
  await web1.powerCut()
  assert.deepEqual(await portrait(web1), before)
  placeFault(web1, agent, null)
  await world.deploy()
  const after = await portrait(web1)
  await web1.powerCut()
  assert.deepEqual(await portrait(web1), after)
  await world.run('verify', 'prod').stdout('web1  ok\n')
})
