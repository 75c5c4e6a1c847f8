/** Clocks of operators that lie: order comes from what happened on the hosts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import type { Operator } from '../support/operator.ts'
import { anything } from '../support/outcome.ts'
import { shiftClock } from '../support/shift-clock.ts'
import { makeWorld } from '../support/world.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const YEAR = 365 * DAY

test('a clock that differs from a host’s by more than a minute is noted once', async t => {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n', 'web2/a/x': 'one\n' })
  shiftClock(world, 62 * MINUTE)
  const ahead = /^note: this clock is 62 minutes ahead of web[12]'s\n$/m
  const { stderr } = await world.run('prod', '--yes').stdout(anything).stderr(ahead)
  assert.equal(stderr.split('note: this clock').length, 2)
  shiftClock(world, -3 * DAY)
  const behind = /^note: this clock is 3 days behind web[12]'s\n$/
  for (const verb of ['ping', 'sync', 'verify']) await world.run(verb, 'prod').stdout(anything).stderr(behind)
  shiftClock(world, MINUTE / 2)
  await world.run('ping', 'prod').stdout(anything)
})

for (const [when, ms] of [
  ['before 1970', -60 * YEAR],
  ['after 2106', 100 * YEAR],
] as const)
  test(`with a clock ${when} no host is asked`, async t => {
    const world = await makeWorld(t, { 'web1/a/x': 'one\n' })
    shiftClock(world, ms)
    // Git itself would refuse some of these dates.
    delete world.env['GIT_AUTHOR_DATE']
    delete world.env['GIT_COMMITTER_DATE']
    const clock =
      /this machine's clock says .*, and Git's dates go from 1970 to 2106-02-07\nhint: set the clock of this machine\n/
    await world.run('prod', '--yes').exits(1).stdout(anything).stderr(clock)
    await world.run('sync', 'prod').exits(1).stderr(clock)
    assert.ok(!world.host('web1').exists('/var/lib/deptool'))
  })

test('without hosts, a colleague rolls back what was deployed last, whatever the clocks said', async t => {
  const ada = await makeWorld(t, { 'web1/a/x': 'one\n', 'web2/a/x': 'one\n' })
  await ada.deploy()
  const bob = await ada.colleague('Bob')
  shiftClock(ada, HOUR)
  ada.write({ 'web1/a/x': 'two\n' })
  await ada.deploy()
  shiftClock(ada, 0)
  ada.write({ 'web2/a/x': 'two\n' })
  await ada.deploy()
  await bob.run('sync', 'prod').stdout(anything)
  await bob.run('rollback', '--dry-run').stdout(/^web2\n/m)
  // And in whatever order it was heard of.
  const eve = await ada.colleague('Eve')
  for (const host of ['web2', 'web1']) await eve.run('sync', 'prod', '--limit', host).stdout(anything)
  await eve.run('rollback', '--dry-run').stdout(/^web2\n/m)
})

test('status and log tell of the same time', async t => {
  const ada = await makeWorld(t, { 'web1/a/x': 'one\n' })
  shiftClock(ada, -7 * YEAR)
  await ada.run('prod', '--yes').stdout(anything).stderr(anything)
  const bob = await ada.colleague('Bob')
  await bob.run('sync', 'prod').stdout(anything)
  const today = new RegExp(`^Date: {3}${new Date().toISOString().slice(0, 10)}`, 'm')
  assert.match(await printed(bob, 'log'), today)
  assert.match(await printed(bob, 'status', 'prod'), /^web1 {2}deployed \S+ \d+ seconds ago by Ada/)
  assert.match(await printed(ada, 'log'), today)
})

test(
  'what did not wholly go back under a clock that is ahead is over once a later deployment holds',
  realHosts,
  async t => {
    const unit = (command: string) => `[Service]\nExecStart=/bin/sh -c '${command}'\n`
    const good = { 'web1/a/systemd/a.service': unit('test ! -e /run/spoilt && exec sleep infinity') }
    const enabled = { 'web1/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"]}}' }
    const ada = await makeWorld(t, { ...good, ...enabled }, { hosts: 'real' })
    await ada.deploy()
    const bob = await ada.colleague('Bob')
    shiftClock(ada, HOUR)
    ada.write({ 'web1/a/systemd/a.service': unit('touch /run/spoilt; exit 1') })
    await ada
      .run('prod', '--yes')
      .exits(4)
      .stdout(anything)
      .stderr(/rolled back on web1, but incompletely/)
    ada.write(good)

    await bob.run('sync', 'prod').stdout(anything)
    await bob.run('plan', 'prod').stdout(/was rolled back\s+incompletely/)
    await bob.host('web1').output('rm /run/spoilt')
    await bob.run('prod', '--repair', '--yes').stdout(anything).stderr(anything)
    const eve = await ada.colleague('Eve')
    for (const one of [ada, bob, eve]) {
      await one.run('sync', 'prod').stdout(anything).stderr(anything)
      await one.run('prod', '--yes').stdout('prod is up to date (1 host)\n')
      await one.run('status', 'prod').stdout(/up to date\n$/)
    }
  },
)

/** What a command printed, times and all. */
async function printed(operator: Operator, ...args: string[]): Promise<string> {
  return (await operator.execute(['git', 'deploy', ...args])).stdout
}
