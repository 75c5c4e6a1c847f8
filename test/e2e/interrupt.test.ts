/** Ctrl-C, SIGTERM and SIGHUP, at every point of a deployment. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { anything } from '../support/outcome.ts'
import type { Tree } from '../support/tree.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld } from '../support/world.ts'

const CTRL_C = '\x03'

const unit = (content: string, service: string, settleMs = 300): Tree => ({
  'web1/a/x': content,
  'web1/a/systemd/a.service': `[Service]\nExecStart=/bin/sleep infinity\n${service}`,
  'web1/a/manifest.json': `{"systemd": {"units_enabled": ["a.service"], "settle_ms": ${settleMs}}}`,
})

async function worldWithOne(t: TestContext, next: Tree) {
  const world = await makeWorld(t, unit('one', ''), { hosts: 'real' })
  await world.deploy()
  world.write(next)
  return { world, web1: world.host('web1') }
}

async function isAsBefore(host: TestHost) {
  await waitFor('the end of the deployment', () => !host.exists('/var/lib/deptool/journal'))
  assert.equal(host.read('/var/lib/deptool/apps/a/current/x'), 'one')
  const { active, needsReload, pid } = await host.unit('a.service')
  assert.deepEqual([active, needsReload], ['active', 'no'])
  assert.equal(await host.output(`tr '\\0' ' ' </proc/${pid}/cmdline`), '/bin/sleep infinity ')
  assert.equal(await host.output('systemctl list-jobs --no-legend'), '')
}

const restarting = async (host: TestHost) => (await host.unit('a.service')).sub === 'start-pre'

/** A restart that nothing but an interrupt ends. */
const ENDLESS = 'TimeoutStartSec=infinity\nExecStartPre=/bin/sleep infinity\n'

test('Ctrl-C during a restart that does not end is heard', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t, unit('two', ENDLESS))
  await world
    .runInTerminal(['prod', '--yes'], [['web1  restart a.service', CTRL_C]])
    .exits(130)
    .stdout(/rolled back: interrupted by the operator(.|\n)*rolled back on web1: it is as it was before/)
  await isAsBefore(web1)
})

test('an agent that is told to end during such a restart undoes first', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t, unit('two', ENDLESS))
  const checked = world
    .start('prod', '--yes')
    .outcome.exits(4)
    .stdout(anything)
    .stderr(
      /web1 {2}rolled back: the agent was terminated\nfatal: rolled back on web1: it is as it was before\n$/,
    )
  await waitFor('the restart', () => restarting(web1))
  await web1.output("kill -TERM $(pgrep -f '^/var/lib/deptool/bin/deptool')")
  await checked
  await isAsBefore(web1)
})

test('Ctrl-C while one host is staged and another does not answer ends the program at once', async t => {
  const silent = createServer().listen(0, '127.0.0.1')
  t.after(() => silent.close())
  const world = await makeWorld(t, { 'web1/a/x': 'one', 'web2/a/x': 'one' })
  const { port } = silent.address() as AddressInfo
  await world.git('config', 'deptool-host.web2.url', `ssh://root@127.0.0.1:${port}`)
  const { outcome, kill, shows } = world.start('prod', '--yes')
  const checked = outcome
    .exits('SIGINT')
    .stdout(anything)
    .stderr(/web2 {2}nothing changed\n(.|\n)*fatal: cannot deploy 'prod': no host was changed\n$/)
  const staged = () => world.host('web1').exists('/var/lib/deptool/apps/a')
  await waitFor('web1 to be staged', staged)
  kill('SIGINT')
  await shows(/^fatal: /m)
  const said = performance.now()
  await checked
  // A host that is waited for has 2 s to answer: nothing may keep the program that long when all has been said.
  assert.ok(performance.now() - said < 1900)
})

test('Ctrl-C while a unit is watched', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t, unit('two', 'Environment=A=1\n', 60_000))
  const { outcome, kill } = world.start('prod', '--yes')
  const checked = outcome
    .exits('SIGINT') // git's own: its group got it too
    .stdout(anything)
    .stderr(/interrupted: asking the hosts to roll back(.|\n)*rolled back: interrupted by the operator/)
  await waitFor('the watch', async () => {
    const { stdout } = await web1.sh(
      'tail -n 1 /var/lib/deptool/journal; systemctl show -P Environment a.service',
    )
    return /^\d+\nA=1\n/.test(stdout)
  })
  const interrupted = performance.now()
  kill('SIGINT')
  await checked
  // It is watched for a minute.
  assert.ok(performance.now() - interrupted < 45_000)
  await isAsBefore(web1)
})

test('Ctrl-C twice leaves at once, and the host heals itself', realHosts, async t => {
  // The restart begins with a stop, which holds the undo up.
  const stop = "ExecStop=/bin/sh -c 'until test -e /run/go; do sleep 0.1; done'\n"
  const { world, web1 } = await worldWithOne(t, unit('two', stop))
  const { outcome, kill, shows } = world.start('prod', '--yes')
  const checked = outcome
    .exits('SIGINT')
    .stdout(anything)
    .stderr(/interrupted: asking the hosts to roll back[^\n]*\n$/)
  const stopping = async () => (await web1.unit('a.service')).sub === 'stop'
  await waitFor('the stop', stopping)
  kill('SIGINT')
  await shows(/interrupted/)
  // Within 300 ms it would be the same one.
  await sleep(1000)
  kill('SIGINT')
  await checked
  assert.ok(await stopping())
  await web1.output('touch /run/go')
  await isAsBefore(web1)
})

test('Ctrl-C while a host does not answer yet changes nothing', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t, unit('two', ''))
  const relay = await world.relay('web1')
  appendFileSync(join(world.home, '.ssh/config'), '\nHost *\n  ConnectTimeout 600\n')
  relay.freeze()
  const { outcome, kill, shows } = world.start('prod', '--yes', '--json')
  const checked = outcome
    .exits('SIGINT')
    .stdout(/"host":"web1","ms":\d+,"kind":"withdrawn"/)
    .stderr(/^interrupted.*\nfatal: cannot deploy 'prod': no host was changed\n$/)
  await shows(/"kind":"connecting"/)
  kill('SIGINT')
  await checked
  await isAsBefore(web1)
})

test('Ctrl-C at the question is a no', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t, unit('two', ''))
  await world
    .runInTerminal(['prod'], [['[y/N/d] ', CTRL_C]])
    .exits(130)
    .stdout(/not deployed/)
  await isAsBefore(web1)
})

for (const signal of ['SIGTERM', 'SIGHUP'] as const)
  test(`${signal} takes everything back too, and waits for it`, realHosts, async t => {
    const { world, web1 } = await worldWithOne(t, unit('two', ENDLESS))
    const { outcome, kill } = world.start('prod', '--yes')
    const checked = outcome
      .exits(signal) // git's own, once we have ended
      .stdout(anything)
      .stderr(
        /interrupted: asking the hosts to roll back; .*\n(.|\n)*web1 {2}rolled back: interrupted by the operator\nfatal: /,
      )
    await waitFor('the restart', () => restarting(web1))
    kill(signal)
    await checked
    await isAsBefore(web1)
  })

test('Ctrl-C during a long upload changes nothing, and leaves nothing', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t, { 'web1/a/big': randomBytes(20_000_000).toString('base64') })
  const relay = await world.relay('web1')
  const { outcome, kill, shows } = world.start('prod', '--yes')
  const checked = outcome
    .exits('SIGINT')
    .stdout(anything)
    .stderr(/interrupted(.|\n)*web1 {2}nothing changed\nfatal: cannot deploy 'prod': no host was changed\n$/)
  await waitFor('the upload', () => relay.sent > 20_000)
  relay.trickle(100_000)
  await waitFor('some of it', () => relay.sent > 200_000)
  kill('SIGINT')
  await shows(/interrupted/)
  // What is on its way need not take its time.
  relay.trickle(Number.POSITIVE_INFINITY)
  await checked
  assert.ok(relay.sent < 13_000_000, `${relay.sent} bytes of more than 26 million were still sent`)
  await isAsBefore(web1)
  await waitFor('the agent to end', async () => (await web1.sh('pgrep deptool')).code === 1)
  assert.deepEqual(
    web1.tree('/var/lib/deptool/store').filter(path => /incoming|quarantine|tmp/.test(path)),
    [],
  )
})

test('Ctrl-C after it was told to hold comes too late, and is told so', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t, unit('two', 'Environment=A=1\n'))
  const relay = await world.relay('web1')
  const { outcome, kill } = world.start('prod', '--yes')
  const checked = outcome
    .exits('SIGINT')
    .stdout(/deployed to 1 host in 'prod'/)
    .stderr(/interrupted: asking the hosts to roll back.*\n.*web1 {2}deployed\n$/)
  await waitFor('the journal', () => web1.exists('/var/lib/deptool/journal'))
  // What the host says takes a second from now on.
  relay.slowDown(2000)
  await waitFor('the end of the deployment', () => !web1.exists('/var/lib/deptool/journal'))
  kill('SIGINT')
  await checked
  assert.equal(web1.read('/var/lib/deptool/apps/a/current/x'), 'two')
  await world.run('prod').stdout('prod is up to date (1 host)\n')
})

test('Ctrl-C while no new connection can be made is heard at once', realHosts, async t => {
  const { world, web1 } = await worldWithOne(t, unit('two', ''))
  const relay = await world.relay('web1')
  const { outcome, kill } = world.start('prod', '--yes', '--confirm=reconnect')
  const checked = outcome
    .exits('SIGINT')
    .stdout(anything)
    .stderr(/interrupted(.|\n)*web1 {2}rolled back: interrupted by the operator\n/)
  await waitFor('the agent', () => web1.exists('/var/lib/deptool/journal'))
  relay.hold()
  await waitFor('the second connection', () => relay.connections > 1)
  kill('SIGINT')
  await checked
  await isAsBefore(web1)
})
