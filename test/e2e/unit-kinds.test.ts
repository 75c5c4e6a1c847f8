/** Units that are no plain services, and what they bring up with them: restarted, judged and undone on a real host. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { anything } from '../support/outcome.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld, type World } from '../support/world.ts'

const enables = (...units: string[]) => JSON.stringify({ systemd: { units_enabled: units } })
const sleeps = '[Service]\nExecStart=/bin/sleep infinity\n'
const fails = '[Service]\nExecStart=/bin/false\n'
const door = {
  'web1/a/x': 'one\n',
  'web1/a/systemd/door.socket': '[Socket]\nListenStream=/run/door\n[Install]\nWantedBy=sockets.target\n',
  'web1/a/systemd/door.service': `${sleeps}[Install]\nWantedBy=multi-user.target\n`,
}

/** The socket and its service run after a first deployment, and after another. */
async function staysOpen(t: TestContext, manifest: string) {
  const world = await makeWorld(t, { ...door, 'web1/a/manifest.json': manifest }, { hosts: 'real' })
  for (const x of ['one\n', 'two\n']) {
    world.write({ 'web1/a/x': x })
    await world.deploy()
    assert.equal(await areOpen(world), 'active\nactive\n')
  }
  await world.run('verify', 'prod').stdout('web1  ok\n')
}

const areOpen = (world: World<TestHost>) =>
  world.host('web1').output('systemctl is-active door.socket door.service')

async function isUndone(world: World<TestHost>) {
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(anything)
    .stderr(/it is as it was before/)
}

test('a socket whose service runs is restarted with it', realHosts, async t => {
  const world = await makeWorld(
    t,
    { ...door, 'web1/a/manifest.json': enables('door.socket') },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world.deploy()
  await web1.output('systemctl start door.service')
  const before = (await web1.unit('door.service')).pid

  world.write({ 'web1/a/x': 'two\n' })
  await world.deploy()
  assert.equal(await areOpen(world), 'active\nactive\n')
  const after = (await web1.unit('door.service')).pid
  assert.notEqual(after, before)

  world.remove('web1/a')
  world.write({ 'web1/b/systemd/b.service': fails, 'web1/b/manifest.json': enables('b.service') })
  await isUndone(world)
  assert.equal(await areOpen(world), 'active\nactive\n')
})

test(
  'a socket at which somebody is waiting starts its service no sooner than it should',
  realHosts,
  async t => {
    const manifest = { systemd: { units_enabled: ['door.socket'] }, checks: [{ unix: '/run/door' }] }
    // The check knocks, and nobody ever opens.
    await staysOpen(t, JSON.stringify(manifest))
  },
)

test('a socket and its service, both enabled', realHosts, t =>
  staysOpen(t, enables('door.socket', 'door.service')),
)

test('the socket of a service that reloads stays open', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      ...door,
      'web1/a/systemd/door.service': `${sleeps}ExecReload=/bin/true\n`,
      'web1/a/manifest.json': JSON.stringify({
        systemd: { units_enabled: ['door.socket', 'door.service'], units_reload: ['door.service'] },
      }),
    },
    { hosts: 'real' },
  )
  await world.deploy()
  const before = (await world.host('web1').unit('door.service')).pid
  world.write({ 'web1/a/x': 'two\n' })
  await world
    .run('prod', '--yes')
    .stdout(/update a\n {8}~ x\n {8}reload door.service\n/)
    .stderr(anything)
  assert.equal((await world.host('web1').unit('door.service')).pid, before)
})

test('what a new unit brought up is stopped where the deployment is undone', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/a.service': `[Unit]\nWants=helper.service t@1.service\n${fails}`,
      'web1/a/systemd/helper.service': sleeps,
      'web1/a/systemd/t@.service': sleeps,
      'web1/a/manifest.json': enables('a.service'),
    },
    { hosts: 'real' },
  )
  await isUndone(world)
  const still = await world.host('web1').sh('systemctl is-active helper.service t@1.service; pgrep sleep')
  assert.equal(still.stdout, 'inactive\ninactive\n')
})

test('instances of a template that leaves run again where the deployment is undone', realHosts, async t => {
  const world = await makeWorld(t, { 'web1/a/systemd/t@.service': sleeps }, { hosts: 'real' })
  const web1 = world.host('web1')
  await world.deploy()
  await web1.output("systemctl start t@1.service 't@a\\x2db.service'")
  world.remove('web1/a')
  world.write({ 'web1/b/systemd/b.service': fails, 'web1/b/manifest.json': enables('b.service') })
  await isUndone(world)
  assert.equal(await web1.output("systemctl is-active t@1.service 't@a\\x2db.service'"), 'active\nactive\n')
})

test('a unit that failed, or fails as it is stopped, leaves nothing behind', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/a.service': `${sleeps}SuccessExitStatus=SIGKILL\nExecStopPost=/bin/false\n`,
      'web1/a/systemd/t@.service': fails,
      'web1/a/manifest.json': enables('a.service'),
      'web1/b/x': 'one\n',
    },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world.deploy()
  await web1.sh('systemctl start t@1.service')
  assert.match(await web1.output('systemctl --failed --plain --no-legend'), /^t@1\.service/)
  world.remove('web1/a')
  await world.deploy()
  assert.equal(await web1.output('systemctl --failed --plain --no-legend'), '')
})

test('a restart of long ago is none of a reload', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/x': 'one\n',
      'web1/a/systemd/a.service': `${sleeps}ExecReload=/bin/sh -c 'grep -q crash ${'/var/lib/deptool/apps/a/current/x'} && kill -KILL $MAINPID; true'\nRestart=always\nRestartSec=0\n`,
      'web1/a/manifest.json': JSON.stringify({
        systemd: { units_enabled: ['a.service'], units_reload: ['a.service'] },
      }),
    },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world.deploy()
  await web1.output('systemctl kill --signal=KILL a.service')
  await waitFor('systemd to restart it', async () => {
    const { restarts, active } = await web1.unit('a.service')
    return restarts === '1' && active === 'active'
  })
  world.write({ 'web1/a/x': 'two\n' })
  await world.deploy()
  world.write({ 'web1/a/x': 'crash\n' })
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(/reload a\.service/)
    .stderr(/rolled back: a\.service .*and was restarted/)
})

test('a unit file that is a link within the app is loaded anew with what it leads to', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/shared/a.service': '[Service]\nExecStart=/bin/sleep 1000\n',
      'web1/a/systemd/a.service': { symlink: '../shared/a.service' },
      'web1/a/manifest.json': enables('a.service'),
    },
    { hosts: 'real' },
  )
  await world.deploy()
  world.write({ 'web1/a/shared/a.service': '[Service]\nExecStart=/bin/sleep 2000\n' })
  await world
    .run('prod', '--yes')
    .stdout(/daemon-reload/)
    .stderr(anything)
  assert.match(await world.host('web1').output('pgrep -a sleep'), /sleep 2000/)
})

test('many units, long command lines and such with empty lines', realHosts, async t => {
  const names = Array.from({ length: 130 }, (_, i) => `u${i}.service`)
  const long = `ExecStart=/bin/true ${'long '.repeat(200)}\n`
  const world = await makeWorld(
    t,
    {
      ...Object.fromEntries(
        names.map(name => [
          `web1/a/systemd/${name}`,
          `[Service]\nType=oneshot\nRemainAfterExit=yes\n${long}ExecStartPre=/bin/echo "a\\n\\nb"\n`,
        ]),
      ),
      'web1/a/manifest.json': enables(...names),
    },
    { hosts: 'real' },
  )
  await world.deploy()
  await world.run('verify', 'prod').stdout('web1  ok\n')
})

test('systemd that starts anew meanwhile is asked again', realHosts, async t => {
  const world = await makeWorld(
    t,
    { 'web1/a/systemd/a.service': sleeps, 'web1/a/manifest.json': enables('a.service') },
    { hosts: 'real' },
  )
  await world.deploy()
  const again = world
    .host('web1')
    .output('until test -e /run/done; do systemctl daemon-reexec; sleep 0.5; done; rm /run/done')
  for (let i = 0; i < 3; i++) {
    world.write({ 'web1/a/systemd/a.service': `${sleeps}# ${i}\n` })
    await world.deploy()
  }
  await world.host('web1').output('touch /run/done')
  await again
  await world.run('verify', 'prod').stdout('web1  ok\n')
})

test('a package that somebody removed is in the way of no other app', realHosts, async t => {
  const world = await makeWorld(t, { 'web1/b/x': 'one\n' }, { hosts: 'real' })
  const web1 = world.host('web1')
  const file = '/usr/lib/systemd/system/packaged.service'
  await web1.output(`printf '${sleeps.replaceAll('\n', '\\n')}' >${file}; systemctl daemon-reload`)
  world.write({ 'web1/a/manifest.json': enables('packaged.service') })
  await world.deploy()
  await web1.output(`rm ${file}; systemctl stop packaged.service; systemctl daemon-reload`)
  world.write({ 'web1/b/x': 'two\n' })
  await world.deploy()
  world.write({ 'web1/a/x': 'one\n' })
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(/'a' enables 'packaged\.service', which exists neither in the config tree nor on the host/)
})

test('a service that only a script of init.d makes can be enabled', realHosts, async t => {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n' }, { hosts: 'real' })
  const web1 = world.host('web1')
  await world.deploy()
  await web1.output(
    `cat >/etc/init.d/old <<'END'
#!/bin/sh
### BEGIN INIT INFO
# Provides: old
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
# Required-Start:
# Required-Stop:
### END INIT INFO
exit 0
END
chmod +x /etc/init.d/old; systemctl daemon-reload`,
  )
  world.write({ 'web1/a/manifest.json': enables('old.service') })
  await world.deploy()
  assert.equal((await web1.unit('old.service')).active, 'active')
  await world.run('verify', 'prod').stdout('web1  ok\n')
})

test('units that stop along with others run again where a deployment is undone', realHosts, async t => {
  const bound = '[Unit]\nBindsTo=base.service\nAfter=base.service\n'
  const base = `[Unit]\nConflicts=rival.service\n${sleeps}`
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/bound.service': `${bound}${sleeps}`,
      'web1/a/systemd/further.service': `[Unit]\nRequires=bound.service\n${sleeps}`,
      'web1/a/manifest.json': enables('bound.service', 'further.service'),
      'web1/b/systemd/base.service': base,
      'web1/b/manifest.json': enables('base.service'),
    },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await web1.output(`printf '${sleeps}' >/run/systemd/system/rival.service`)
  await world.deploy()

  world.write({ 'web1/b/systemd/base.service': fails })
  await isUndone(world)
  await world.run('verify', 'prod').stdout(/web1 {2}ok/)

  world.remove('web1/b')
  world.write({ 'web1/c/systemd/c.service': fails, 'web1/c/manifest.json': enables('c.service') })
  await isUndone(world)
  await world.run('verify', 'prod').stdout(/web1 {2}ok/)

  await web1.output('systemctl start rival.service')
  world.write({ 'web1/b/systemd/base.service': base, 'web1/b/manifest.json': enables('base.service') })
  await isUndone(world)
  assert.equal((await web1.unit('rival.service')).active, 'active')
})

test('a connection that ended with the service of its own is not missed by an undo', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/e.socket': '[Socket]\nListenStream=/run/e\nAccept=yes\n',
      'web1/a/systemd/e@.service': '[Service]\nExecStart=/bin/sleep infinity\nStandardInput=socket\n',
      'web1/a/manifest.json': enables('e.socket'),
    },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world.deploy()
  const connect = 'use IO::Socket::UNIX; $s = IO::Socket::UNIX->new(Peer => "/run/e") or die; sleep 60'
  await web1.output(`systemd-run --quiet perl -e '${connect}'`)
  await waitFor('the connection', async () => (await web1.output('systemctl list-units e@*')).includes('e@0'))

  world.remove('web1/a')
  world.write({ 'web1/b/systemd/b.service': fails, 'web1/b/manifest.json': enables('b.service') })
  await isUndone(world)
  assert.equal(
    await web1.output('systemctl is-active e.socket; systemctl list-units -q --failed'),
    'active\n',
  )
})

test(
  'a unit of another app that fails as it is restarted along takes the deployment back',
  realHosts,
  async t => {
    const reads = 'ExecStartPre=/bin/grep --quiet good /var/lib/deptool/apps/b/current/x'
    const world = await makeWorld(
      t,
      {
        'web1/a/systemd/user.service': `[Unit]\nRequires=base.service\nAfter=base.service\n${sleeps}${reads}\n`,
        'web1/a/manifest.json': enables('user.service'),
        'web1/b/systemd/base.service': sleeps,
        'web1/b/manifest.json': enables('base.service'),
        'web1/b/x': 'good\n',
      },
      { hosts: 'real' },
    )
    await world.deploy()
    world.write({ 'web1/b/x': 'bad\n' })
    await world
      .run('prod', '--yes')
      .exits(4)
      .stdout(anything)
      .stderr(/rolled back: user.service ExecStartPre exited with 1\n(.|\n)*it is as it was before/)
    await world.run('verify', 'prod').stdout(/web1 {2}ok/)

    // Without the other it cannot run at all.
    world.remove('web1/b')
    await world
      .run('prod', '--yes')
      .exits(4)
      .stdout(anything)
      .stderr(/rolled back: user.service stopped together with units that the plan stops or starts\n/)
    await world.run('verify', 'prod').stdout(/web1 {2}ok/)
    world.write({
      'web1/b/systemd/base.service': sleeps,
      'web1/b/manifest.json': enables('base.service'),
      'web1/b/x': 'still good\n',
    })
    await world.deploy()
    await world.run('verify', 'prod').stdout('web1  ok\n')
  },
)

test(
  'a unit that failed again and again before does so again after an undo, and that is as it was',
  realHosts,
  async t => {
    const loops = '[Unit]\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=100ms\n'
    const world = await makeWorld(
      t,
      {
        'web1/a/systemd/a.service': `${loops}ExecStartPre=/bin/test -e /run/good\nExecStart=/bin/sleep infinity\n`,
        'web1/a/manifest.json': enables('a.service'),
      },
      { hosts: 'real' },
    )
    const web1 = world.host('web1')
    await web1.output('touch /run/good')
    await world.deploy()
    await web1.output('rm /run/good && systemctl kill a.service')

    world.write({ 'web1/a/x': 'no help\n' })
    await isUndone(world)
    for (let i = 0; i < 5; i++)
      await world
        .run('verify', 'prod')
        .exits(2)
        .stdout(/^web1 {2}a.service keeps restarting/)
    await web1.output('touch /run/good')
    await waitFor('the unit', async () => (await web1.unit('a.service')).active === 'active')
  },
)
