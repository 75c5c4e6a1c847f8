/** The operator's side goes away, or changes its mind, while a host is being activated. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { anything } from '../support/outcome.ts'
import type { Tree } from '../support/tree.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld } from '../support/world.ts'

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
      /web1 {2}refused: locked by Ada <ada@example.com> since .* \(deployment <id>\)\n +hint: try again when it has ended\nfatal: cannot deploy 'prod': no host was changed\n/,
    )
  await ada
  assert.equal(deployed(web1), 'two')
})
