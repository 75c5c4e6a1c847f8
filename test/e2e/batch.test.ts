/** --batch: all hosts are staged, then activated in waves. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { anything } from '../support/outcome.ts'
import { recordsOf } from '../support/records.ts'
import type { Tree } from '../support/tree.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld } from '../support/world.ts'
import { HELD, isHeld, release } from './under-way.ts'

/** Hosts that run version `x`, with a unit that starts, once it is released, or does not start. */
function version(x: string, hosts: Readonly<Record<string, 'works' | 'held' | 'broken'>>): Tree {
  return Object.fromEntries(
    Object.entries(hosts).flatMap(([host, how]) => [
      [`${host}/a/x`, x],
      [
        `${host}/a/systemd/a.service`,
        `[Service]\nType=oneshot\nRemainAfterExit=yes\n${how === 'held' ? HELD : ''}ExecStart=/bin/${how === 'broken' ? 'false' : 'true'}\n`,
      ],
      [`${host}/a/manifest.json`, '{"systemd": {"units_enabled": ["a.service"]}}'],
    ]),
  )
}

async function threeHosts(t: TestContext) {
  const first = { 'web1/a/x': 'one', 'web2/a/x': 'one', 'web3/a/x': 'one' }
  const world = await makeWorld(t, first, { hosts: 'real' })
  await world.deploy()
  return { world, hosts: world.hosts }
}

const versions = (hosts: readonly TestHost[]) =>
  hosts.map(host => host.read('/var/lib/deptool/apps/a/current/x'))

/** Nothing is under way, nothing is left of what was staged, and anybody may deploy. */
async function isAtRest(host: TestHost): Promise<boolean> {
  if (host.exists('/var/lib/deptool/journal')) return false
  return (await host.sh('flock --nonblock /var/lib/deptool/lock true')).code === 0
}

test('waves: one after the other, all staged first, nobody times out', realHosts, async t => {
  const { world, hosts } = await threeHosts(t)
  await world.git('config', 'deptool.confirmTimeout', '1')
  world.write(version('two', { web1: 'held', web2: 'held', web3: 'held' }))
  const bob = await world.colleague('Bob')
  const running = world.run('prod', '--yes', '--batch=1', '--json').stdout(anything).stderr(anything)
  const [web1, web2, web3] = hosts as [TestHost, TestHost, TestHost]
  await waitFor('web1 to start its unit', () => isHeld(web1))
  // The other waves wait for longer than for a confirmation.
  await sleep(1200)
  await release(web1)
  await waitFor('web2 to start its unit', () => isHeld(web2))
  await bob
    .run('prod', '--yes', '--limit=web3')
    .exits(1)
    .stdout(anything)
    .stderr(/web3 {2}refused: locked by Ada/)
  for (const host of [web2, web3]) await release(host)
  const { stdout } = await running
  const events = recordsOf(stdout).flatMap(record => (record.type === 'event' ? [record] : []))
  const told = events.map(event =>
    event.kind === 'wave' ? `${event.host} ${event.wave}/${event.waves}` : `${event.host} ${event.kind}`,
  )
  const milestones = told.filter(line => /held$|[/]3$|staged$/.test(line))
  assert.deepEqual(milestones.slice(0, 3).sort(), ['web1 staged', 'web2 staged', 'web3 staged'])
  assert.deepEqual(milestones.slice(3), [
    'web1 1/3',
    'web2 2/3',
    'web3 3/3',
    'web1 held',
    'web2 held',
    'web3 held',
  ])
  const at = (line: string) => told.indexOf(line)
  assert.ok(at('web1 held') < at('web2 step') && at('web2 held') < at('web3 step'))
  assert.deepEqual(versions(hosts), ['two', 'two', 'two'])
})

test('a wave that fails is the last: the others are as they were, and free', realHosts, async t => {
  const { world, hosts } = await threeHosts(t)
  world.write(version('two', { web1: 'works', web2: 'broken', web3: 'works' }))
  await world
    .run('prod', '--yes', '--batch', '34%')
    .exits(4)
    .stdout(anything)
    .stderr(
      /web3 {2}wave 3 of 3\n(.|\n)*web1 {2}deployed\n(.|\n)*web2 {2}rolled back(.|\n)*web3 {2}nothing changed\nfatal: deployed to 1 of 3 hosts, but rolled back on web2: it is as it was before; nothing changed on web3\nhint: fix the cause/,
    )
  assert.deepEqual(versions(hosts), ['two', 'one', 'one'])
  for (const host of hosts) assert.ok(await isAtRest(host), host.name)
  assert.equal((await hosts[2]!.sh('ls /var/lib/deptool/apps/a | wc -l')).stdout.trim(), '2')
  await world.run('log', 'web3').stdout(/nothing changed, update a: withdrawn before it was activated/)

  world.write(version('two', { web2: 'works' }))
  await world
    .runInTerminal(['prod', '--yes', '--batch', '1'])
    .stdout(/web3 +\x1b\[2mstaged, wave 2 of 2[\s\S]*deployed to 2 hosts/)
  assert.deepEqual(versions(hosts), ['two', 'two', 'two'])
})

test('a host that cannot be staged stops all waves', realHosts, async t => {
  const { world, hosts } = await threeHosts(t)
  world.write(version('two', { web1: 'works', web2: 'works' }))
  world.write({ 'web3/a/manifest.json': '{"symlinks": {"/nowhere/x": "x"}}' })
  await world
    .run('prod', '--yes', '--batch=1')
    .exits(1)
    .stdout(anything)
    .stderr(/web3 {2}refused:(.|\n)*fatal: cannot deploy 'prod': no host was changed\n$/)
  assert.deepEqual(versions(hosts), ['one', 'one', 'one'])
  for (const host of hosts) assert.ok(await isAtRest(host), host.name)
})

test('--atomic: a failing wave takes the earlier ones back', realHosts, async t => {
  const { world, hosts } = await threeHosts(t)
  await world.git('config', 'deptool.confirmTimeout', '1')
  world.write(version('two', { web1: 'works', web2: 'broken', web3: 'works' }))
  await world
    .run('prod', '--yes', '--batch=1', '--atomic')
    .exits(4)
    .stdout(anything)
    .stderr(
      /web1 {2}rolled back: web2 did not succeed \(--atomic\)(.|\n)*fatal: rolled back on web1, web2: they are as they were before; nothing changed on web3\n/,
    )
  assert.deepEqual(versions(hosts), ['one', 'one', 'one'])
  for (const host of hosts) assert.ok(await isAtRest(host), host.name)

  world.write(version('two', { web2: 'works' }))
  await world
    .run('prod', '--yes', '--batch=1', '--atomic')
    .stdout(/deployed to 3 hosts/)
    .stderr(/web1 {2}settled, waiting for the other hosts\n(.|\n)*web2 {2}restart(.|\n)*web3 {2}restart/)
  assert.deepEqual(versions(hosts), ['two', 'two', 'two'])
})

test('Ctrl-C in the first wave: it is undone, the others never began', realHosts, async t => {
  const { world, hosts } = await threeHosts(t)
  world.write(version('two', { web1: 'held', web2: 'works', web3: 'works' }))
  const { outcome, kill } = world.start('prod', '--yes', '--batch=1')
  const checked = outcome
    .exits('SIGINT') // git's own: its group got it too
    .stdout(anything)
    .stderr(/fatal: rolled back on web1: it is as it was before; nothing changed on web2, web3\n/)
  await waitFor('web1 to start its unit', () => isHeld(hosts[0]!))
  kill('SIGINT')
  await checked
  assert.deepEqual(versions(hosts), ['one', 'one', 'one'])
  for (const host of hosts) assert.ok(await isAtRest(host), host.name)
})

test(
  'a host that is lost while it waits for its wave was not changed, and is known not to be',
  realHosts,
  async t => {
    const { world, hosts } = await threeHosts(t)
    const relay = await world.relay('web2')
    world.write(version('two', { web1: 'held', web2: 'works', web3: 'works' }))
    const checked = world
      .run('prod', '--yes', '--batch=1')
      .exits(4)
      .stdout(anything)
      .stderr(
        /web2 {2}lost the connection: (.|\n)*web3 {2}nothing changed\nfatal: deployed to 1 of 3 hosts, but nothing changed on web2, web3\n$/,
      )
    await waitFor('web1 to start its unit', () => isHeld(hosts[0]!))
    relay.refuse()
    relay.cut()
    await release(hosts[0]!)
    await checked
    assert.deepEqual(versions(hosts), ['two', 'one', 'one'])
    for (const host of hosts) assert.ok(await isAtRest(host), host.name)
  },
)

test('an operator who is killed leaves hosts that never began as they were, and free', realHosts, async t => {
  const { world, hosts } = await threeHosts(t)
  await world.git('config', 'deptool.confirmTimeout', '1')
  world.write(version('two', { web1: 'held', web2: 'works', web3: 'works' }))
  const { outcome, kill } = world.start('prod', '--yes', '--batch=1')
  const checked = outcome.exits('SIGKILL').stdout(anything).stderr(anything)
  await waitFor('web1 to start its unit', () => isHeld(hosts[0]!))
  kill('SIGKILL')
  await checked
  await release(hosts[0]!)
  for (const host of hosts) await waitFor(`${host.name} to be at rest`, () => isAtRest(host))
  assert.deepEqual(versions(hosts), ['one', 'one', 'one'])
})

test('the question and the display show the waves; rollback and apply have them too', async t => {
  const world = await makeWorld(t, { 'web1/a/x': 'one', 'web2/a/x': 'one', 'web3/a/x': 'one' })
  await world
    .runInTerminal(['prod', '--batch=2'], [[/\[y\/N\/d\] $/, 'y\n']])
    .stdout(/Deploy to 3 hosts in 'prod', in 2 waves\? [\s\S]*deployed to 3 hosts/)
  world.write({ 'web1/a/x': 'two', 'web2/a/x': 'two', 'web3/a/x': 'two' })
  await world.run('plan', '-o', 'p.json').stdout(anything).stderr(anything)
  for (const args of [['apply', 'p.json'], ['rollback']])
    await world
      .run(...args, '--yes', '--batch=1')
      .stdout(/deployed to 3 hosts/)
      .stderr(/web2 {2}wave 2 of 3\n(.|\n)*web1 {2}deployed\n(.|\n)*web2 {2}deployed\n/)
})
