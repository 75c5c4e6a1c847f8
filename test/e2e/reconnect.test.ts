/** Deployments that touch the way to their own host hold only if a new connection can be made. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { HostName } from '../../src/plan/names.ts'
import type { Deploy } from '../../src/protocol/messages.ts'
import { loadAgents } from '../../src/remote/agents.ts'
import { connector } from '../../src/remote/connect.ts'
import { openSession } from '../../src/remote/session.ts'
import { realHosts } from '../hosts/real-hosts.ts'
import { NOTHING, prepare } from '../support/agent-driver.ts'
import { anything } from '../support/outcome.ts'
import type { Tree } from '../support/tree.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld } from '../support/world.ts'
import { isQuiet, isSettled } from './under-way.ts'

const DROP_IN = '/etc/ssh/sshd_config.d/access.conf'

const sshd = (config: string): Tree => ({
  'web1/sshd/access.conf': `${config}\n`,
  'web1/sshd/manifest.json': `{"systemd": {"units_enabled": ["ssh.service"]}, "symlinks": {"${DROP_IN}": "access.conf"}}`,
})

async function worldWith(t: TestContext, tree: Tree) {
  const world = await makeWorld(t, { 'web1/a/x': 'one', ...tree }, { hosts: 'real' })
  await world.git('config', 'deptool.confirmTimeout', '3')
  return { world, web1: world.host('web1') }
}

test('the plan says so, and it holds over a second connection', realHosts, async t => {
  const { world, web1 } = await worldWith(t, sshd('LoginGraceTime 60'))
  const relay = await world.relay('web1')
  await world
    .run('prod', '--yes')
    .stdout(
      /\n {4}confirmed over a new connection \(\/etc\/ssh\/sshd_config.d\/access.conf, …\)\n(.|\n)*deployed to 1 host/,
    )
    .stderr(/settled, confirming over a new connection\n +<time> {2}web1 {2}deployed\n$/)
  assert.equal(relay.connections, 2)
  assert.equal(web1.read(DROP_IN), 'LoginGraceTime 60\n')
})

test('--confirm=reconnect asks for it whatever changes', realHosts, async t => {
  const { world } = await worldWith(t, {})
  const relay = await world.relay('web1')
  await world
    .run('prod', '--yes', '--confirm=reconnect')
    .stdout(anything)
    .stderr(/over a new connection/)
  assert.equal(relay.connections, 2)
})

test('a ControlMaster is no new connection', realHosts, async t => {
  const { world } = await worldWith(t, {})
  const relay = await world.relay('web1')
  appendFileSync(join(world.home, '.ssh/config'), `\nHost *\n  ControlPath ${world.home}/master\n`)
  await world.execute(['ssh', '-fNM', 'web1'])
  assert.equal(relay.connections, 1)
  await world
    .run('prod', '--yes')
    .stdout(anything)
    .stderr(/deployed/)
  assert.equal(relay.connections, 1)
  world.write({ 'web1/a/x': 'two' })
  await world
    .run('prod', '--yes', '--confirm=reconnect')
    .stdout(anything)
    .stderr(/deployed/)
  assert.equal(relay.connections, 2)
})

test('sshd that lets nobody in any more is put back, and the operator is told so', realHosts, async t => {
  const { world, web1 } = await worldWith(t, {})
  await world.deploy()
  world.write(sshd('AllowUsers nobody-else'))
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(/confirmed over a new connection/)
    .stderr(
      /no new connection yet \(cannot log in as 'root'.*(.|\n)*rolled back: not confirmed over a new connection within <time>\n(.|\n)*fatal: rolled back on web1: it is as it was before\n/,
    )
  assert.equal(web1.exists(DROP_IN), false)
  world.remove('web1/sshd')
  world.write({ 'web1/a/x': 'two' })
  await world.deploy()
})

test('a login shell that prints, and so hides what the agent says, is put back', realHosts, async t => {
  const { world, web1 } = await worldWith(t, {})
  await world.deploy()
  world.write({
    'web1/shell/bashrc': 'echo Welcome!\n',
    'web1/shell/manifest.json': '{"symlinks": {"/root/.bashrc": "bashrc"}}',
  })
  await world
    .run('prod', '--yes', '--adopt')
    .exits(4)
    .stdout(/confirmed over a new connection \(\/root\/.bashrc\)/)
    .stderr(/no new connection yet \(the login shell of 'root' prints(.|\n)*it is as it was before\n/)
  assert.equal(web1.readlink('/root/.bashrc'), undefined)
  await world.run('ping', 'prod').stdout(anything)
})

test('the same where the connection at hand goes with it', realHosts, async t => {
  const { world, web1 } = await worldWith(t, {})
  await world.deploy()
  world.write(sshd('AllowUsers nobody-else'))
  const relay = await world.relay('web1')
  const checked = world
    .run('prod', '--yes')
    .exits(4)
    .stdout(anything)
    .stderr(/; reconnecting\n +<time> {2}web1 {2}rolled back: not confirmed over a new connection/)
  await waitFor('the deployment to settle', () => isSettled(web1))
  relay.cut()
  await checked
  assert.equal(web1.exists(DROP_IN), false)
})

test('a network that is gone once it has settled', realHosts, async t => {
  const { world, web1 } = await worldWith(t, {})
  await world.deploy()
  world.write({ 'web1/a/x': 'two' })
  const relay = await world.relay('web1', { roundTripMs: 40 })
  const checked = world
    .run('prod', '--yes', '--confirm=reconnect')
    .exits(5)
    .stdout(anything)
    .stderr(
      /outcome unknown: (.|\n)*fatal: cannot tell how deployment <id> ended on web1\nhint: .*run 'git deploy sync prod' to find out/,
    )
  await waitFor('the deployment to settle', () => isSettled(web1))
  relay.refuse()
  await checked
  assert.ok(isQuiet(web1))
  assert.equal(web1.read('/var/lib/deptool/apps/a/current/x'), 'one')
})

test(
  'a deployment that takes the network away gives it back in time, and the operator is told so',
  realHosts,
  async t => {
    const { world, web1 } = await worldWith(t, {})
    await world.deploy()
    // As a firewall would: what is open is cut, and nobody gets in any more.
    world.write({
      'web1/fw/systemd/fw.service': `[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'kill -STOP $(cat /run/sshd.pid); pkill -KILL -f "^sshd(-session)?: root"'
ExecStop=/bin/sh -c 'kill -CONT $(cat /run/sshd.pid)'
`,
      'web1/fw/manifest.json': '{"systemd": {"units_enabled": ["fw.service"]}}',
    })
    appendFileSync(join(world.home, '.ssh/config'), '\nHost *\n  ConnectTimeout 1\n')
    await world
      .run('prod', '--yes')
      .exits(4)
      .stdout(anything)
      .stderr(
        /; reconnecting\n +<time> {2}web1 {2}rolled back: not confirmed within <time>\nfatal: rolled back on web1: it is as it was before\n$/,
      )
    assert.equal((await web1.unit('fw.service')).load, 'not-found')
    await world
      .run('verify', 'prod')
      .stdout(/^web1 {2}ok\nweb1 {2}the last deployment, <id>, was rolled back: /)
  },
)

test('sshd that lets in, and runs nothing any more', realHosts, async t => {
  const { world, web1 } = await worldWith(t, {})
  await world.deploy()
  world.write(sshd('Match LocalPort 2022\n  ForceCommand /bin/false'))
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(anything)
    .stderr(
      /no new connection yet \(.*\), trying again\n(.|\n)*rolled back: not confirmed over a new connection within <time>\n/,
    )
  assert.equal(web1.exists(DROP_IN), false)
  await world.run('ping', 'prod').stdout(/^web1 .* as recorded\n$/)
})

for (const user of ['root', 'deploy'])
  test(`the agent takes no confirmation over the old connection, as ${user}`, realHosts, async t => {
    const { world } = await worldWith(t, {})
    world.logInAs(user, 'web1')
    const connect = connector({
      env: world.env,
      now: () => new Date(),
      random: randomBytes,
      agents: loadAgents(),
      transport: 'auto',
    })
    const open = async () => {
      const connection = await connect('web1' as HostName, { url: null, fresh: true })
      t.after(() => connection.close())
      return connection
    }
    const version = prepare(NOTHING, { 'a/x': 'one' }, { reconnect: true })
    const [{ id }] = version.requests as [Deploy]
    const refused = { kind: 'error', message: 'this deployment must be confirmed over a new connection' }
    const first = await open()
    const session = await openSession(first, { flight: () => [...version.requests] })
    assert.equal((await session.next()).type, 'staged')
    await session.send({ type: 'activate' })
    while ((await session.next()).type !== 'settled');
    await session.send({ type: 'confirm', id })
    assert.deepEqual(await session.next(), { type: 'refused', refusal: refused })

    const secondChannel = await openSession(first)
    const { pending } = secondChannel.hello
    assert.deepEqual([pending?.id, pending?.holder], [id, 'Test <t@t>'])
    assert.ok(pending?.msLeft && pending.msLeft <= 5000, `${pending?.msLeft}`)
    await secondChannel.send({ type: 'confirm', id })
    assert.deepEqual(await secondChannel.next(), { type: 'refused', refusal: refused })

    const anew = await openSession(await open())
    await anew.send({ type: 'confirm', id })
    assert.deepEqual(await anew.next(), { type: 'outcome', id, outcome: 'held', why: '' })
  })
