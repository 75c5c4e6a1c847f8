/** Units that go down with a deployment, on a real host: named, and brought back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { anything } from '../support/outcome.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld, type World } from '../support/world.ts'

const enables = (...units: string[]) => JSON.stringify({ systemd: { units_enabled: units } })
const sleeps = '[Service]\nExecStart=/bin/sleep infinity\n'
const fails = '[Service]\nExecStart=/bin/false\n'

async function run(host: TestHost, unit: string, text = sleeps): Promise<void> {
  await host.output(`cat >/etc/systemd/system/${unit} <<'END'
${text}END
systemctl daemon-reload; systemctl start ${unit}`)
}

async function takesDown(world: World<TestHost>, said: RegExp): Promise<void> {
  await world.run('prod', '--yes').exits(4).stdout(anything).stderr(said)
}

const isActive = async (host: TestHost, unit: string) =>
  assert.equal((await host.unit(unit)).active, 'active', unit)

/** What a unit of ours says of a rival, and what the rival says of it. */
const RELATIONS: Readonly<Record<string, { readonly ours: string; readonly wants?: string }>> = {
  'a new unit conflicts with it': { ours: '[Unit]\nConflicts=rival.service\n' },
  'a unit that a new one wants conflicts with it': {
    ours: '[Unit]\nWants=helper.service\n',
    wants: `[Unit]\nConflicts=rival.service\n${sleeps}`,
  },
}

for (const [name, { ours, wants }] of Object.entries(RELATIONS))
  test(`a unit of the host goes down: ${name}`, realHosts, async t => {
    const world = await makeWorld(t, { 'web1/b/x': 'one\n' }, { hosts: 'real' })
    const web1 = world.host('web1')
    await run(web1, 'rival.service')
    await world.deploy()
    const tree = {
      ...(wants === undefined ? {} : { 'web1/a/systemd/helper.service': wants }),
      'web1/a/manifest.json': enables('a.service'),
    }
    world.write({ ...tree, 'web1/a/systemd/a.service': `${ours}${sleeps}` })
    await takesDown(
      world,
      /rolled back: rival\.service stopped together with units that the plan stops or starts\n(.|\n)*it is as it was before/,
    )
    await isActive(web1, 'rival.service')
    // The same when something else fails.
    world.write({ 'web1/a/systemd/a.service': `${ours}${fails}` })
    await takesDown(world, /rolled back: a\.service exited with 1\n(.|\n)*it is as it was before/)
    await isActive(web1, 'rival.service')
  })

test('a relation that an update adds', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/a.service': sleeps,
      'web1/a/manifest.json': enables('a.service'),
      'web1/b/systemd/b.service': sleeps,
      'web1/b/manifest.json': enables('b.service'),
    },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world.deploy()
  world.write({ 'web1/a/systemd/a.service': `[Unit]\nConflicts=b.service\n${sleeps}` })
  await takesDown(
    world,
    /rolled back: b\.service stopped together with units that the plan stops or starts\n/,
  )
  for (const unit of ['a.service', 'b.service']) await isActive(web1, unit)
})

for (const relation of ['Requires', 'BindsTo', 'PartOf'])
  test(`a unit that a drop-in of ours binds to what leaves: ${relation}=`, realHosts, async t => {
    const world = await makeWorld(
      t,
      {
        'web1/a/systemd/a.service': sleeps,
        'web1/a/manifest.json': enables('a.service'),
        'web1/b/x': 'one\n',
      },
      { hosts: 'real' },
    )
    const web1 = world.host('web1')
    await run(web1, 'rival.service')
    await world.deploy()
    // The relation comes with what makes it matter.
    world.write({
      'web1/b/systemd/rival.service.d/b.conf': `[Unit]\n${relation}=a.service\nAfter=a.service\n`,
      'web1/a/systemd/a.service': fails,
    })
    await takesDown(world, /rolled back: a\.service exited with 1\n(.|\n)*it is as it was before/)
    for (const unit of ['a.service', 'rival.service']) await isActive(web1, unit)
  })

test('a unit of the host that needs what leaves', realHosts, async t => {
  const world = await makeWorld(
    t,
    { 'web1/a/systemd/a.service': sleeps, 'web1/a/manifest.json': enables('a.service'), 'web1/b/x': '' },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world.deploy()
  await run(web1, 'rival.service', `[Unit]\nRequires=a.service\nAfter=a.service\n${sleeps}`)
  world.remove('web1/a')
  await takesDown(
    world,
    /rolled back: rival\.service stopped together with units that the plan stops or starts\n/,
  )
  for (const unit of ['a.service', 'rival.service']) await isActive(web1, unit)
})

test('a unit that takes its time to stop, and starts again', realHosts, async t => {
  const world = await makeWorld(
    t,
    { 'web1/a/systemd/a.service': sleeps, 'web1/a/manifest.json': enables('a.service') },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world.deploy()
  await run(web1, 'rival.service', `[Unit]\nPartOf=a.service\n${sleeps}ExecStop=/bin/sleep 1\n`)
  world.write({ 'web1/a/x': 'two\n' })
  await world.deploy()
  await isActive(web1, 'rival.service')
})

test('units that end by themselves are not missed', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/b/systemd/idle.service': '[Service]\nExecStart=/bin/sleep 3\n',
      'web1/b/systemd/job.service': '[Service]\nType=oneshot\nExecStart=/bin/sleep 1\n',
      'web1/b/manifest.json': enables('idle.service', 'job.service'),
    },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world.deploy()
  await waitFor('the service to end', async () => (await web1.unit('idle.service')).active === 'inactive')
  world.write({
    'web1/a/systemd/a.service': '[Service]\nExecStartPre=/bin/sleep 4\nExecStart=/bin/sleep infinity\n',
    'web1/a/manifest.json': enables('a.service'),
  })
  await web1.output('systemctl start --no-block idle.service job.service')
  await world.deploy()
  for (const unit of ['idle.service', 'job.service'])
    assert.equal((await web1.unit(unit)).active, 'inactive', unit)
})

test('a unit of another app that dies meanwhile is named', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/x': 'one\n',
      'web1/b/systemd/b.service':
        '[Service]\nExecStart=/bin/sh -c "while ! test -e /run/end; do sleep 0.05; done; exit 3"\n',
      'web1/b/manifest.json': enables('b.service'),
    },
    { hosts: 'real' },
  )
  await world.deploy()
  world.write({
    'web1/a/systemd/a.service':
      '[Service]\nExecStartPre=/bin/touch /run/end\nExecStart=/bin/sleep infinity\n',
    'web1/a/manifest.json': enables('a.service'),
  })
  await takesDown(world, /rolled back: b\.service exited with 3\n/)
})
