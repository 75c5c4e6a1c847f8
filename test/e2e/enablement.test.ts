/** What a unit file says of its own enablement, on a host with systemd. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'

const unit = (install: string) =>
  `[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n${install === '' ? '' : `[Install]\n${install}\n`}`
const manifest = JSON.stringify({ systemd: { units_enabled: ['u.service'] } })

test('a unit that is wanted elsewhere than before is enabled there, and only there', realHosts, async t => {
  const world = await makeWorld(
    t,
    { 'web1/a/manifest.json': manifest, 'web1/a/systemd/u.service': unit('WantedBy=multi-user.target') },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  const enabledBy = () =>
    web1.output('cd /etc/systemd/system && find . -name "*u.service" -printf "%p -> %l\\n" | sort')
  const own = './u.service -> /var/lib/deptool/apps/a/current/systemd/u.service\n'
  await world.deploy()
  assert.equal(
    await enabledBy(),
    `./multi-user.target.wants/u.service -> /etc/systemd/system/u.service\n${own}`,
  )

  const elsewhere = 'WantedBy=timers.target\nAlias=also-u.service'
  world.write({ 'web1/a/systemd/u.service': unit(elsewhere) })
  await world
    .run('prod', '--yes')
    .stdout(
      /update a\n {8}~ systemd\/u.service\n {8}enable u.service\n {8}daemon-reload\n {8}restart u.service\n/,
    )
    .stderr(anything)
  const after = `./also-u.service -> /etc/systemd/system/u.service\n./timers.target.wants/u.service -> /etc/systemd/system/u.service\n${own}`
  assert.equal(await enabledBy(), after)
  assert.equal((await web1.unit('u.service')).enabled, 'enabled')

  // Nothing wants it any more; and a deployment that fails after that puts everything back.
  world.write({ 'web1/a/systemd/u.service': unit('').replace('true', 'false') })
  await world.run('prod', '--yes').exits(4).stdout(anything).stderr(anything)
  assert.equal(await enabledBy(), after)
  world.write({ 'web1/a/systemd/u.service': unit('WantedBy=of-its-own.target') })
  await world.deploy()
  world.write({ 'web1/a/systemd/u.service': unit('') })
  await world.deploy()
  assert.equal(await enabledBy(), own)
  assert.equal(await web1.output('ls /etc/systemd/system | grep own || true'), '')
  await world.run('verify', 'prod').stdout('web1  ok\n')
})

test('a drop-in may say what wants a unit, too', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/u.service': unit(''),
      'web1/a/systemd/u.service.d/install.conf': '[Install]\nWantedBy=timers.target\n',
      'web1/a/manifest.json': manifest,
    },
    { hosts: 'real' },
  )
  const wanting = () => world.host('web1').output('cd /etc/systemd/system; ls -d *.wants/u.service')
  await world.deploy()
  assert.equal(await wanting(), 'timers.target.wants/u.service\n')
  world.write({ 'web1/a/systemd/u.service.d/install.conf': '[Install]\nWantedBy=sockets.target\n' })
  await world.deploy()
  assert.equal(await wanting(), 'sockets.target.wants/u.service\n')
})

test('disabling a unit leaves alone what its file names beside it (Also=)', realHosts, async t => {
  const enables = (...units: string[]) => JSON.stringify({ systemd: { units_enabled: units } })
  const also =
    '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\nAlso=a.timer\n'
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/a.timer': '[Timer]\nOnCalendar=yearly\n[Install]\nWantedBy=timers.target\n',
      'web1/a/systemd/a.service': also,
      'web1/a/manifest.json': enables('a.timer'),
    },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  const links = () => web1.tree('/etc/systemd/system')
  await world.deploy()
  const onlyTimer = links()

  // A deployment that enables the unit, and is undone.
  world.write({ 'web1/a/manifest.json': enables('a.service', 'a.timer') })
  world.write({ 'web1/b/systemd/b.service': '[Service]\nExecStart=/bin/false\n' })
  world.write({ 'web1/b/manifest.json': enables('b.service') })
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(anything)
    .stderr(/it is as it was before/)
  assert.deepEqual(links(), onlyTimer)

  // One that holds, and another that disables it.
  world.remove('web1/b')
  await world.deploy()
  world.write({ 'web1/a/manifest.json': enables('a.timer') })
  await world.deploy()
  assert.deepEqual(links(), onlyTimer)
  await world.run('verify', 'prod').stdout('web1  ok\n')
})

test('an instance of a template outlives the version that it was enabled in', realHosts, async t => {
  const instances = (...units: string[]) => JSON.stringify({ systemd: { units_enabled: units } })
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/w@.service': unit('WantedBy=multi-user.target'),
      'web1/a/manifest.json': instances('w@one.service', 'w@two.service'),
    },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  const links = () => web1.output('cd /etc/systemd/system && find . -name "w@*" -printf "%p -> %l\\n" | sort')
  await world.deploy()
  await world.run('verify', 'prod').stdout('web1  ok\n')
  for (const x of ['one\n', 'two\n', 'three\n']) {
    world.write({ 'web1/a/x': x })
    await world.deploy()
  }
  world.write({ 'web1/a/manifest.json': instances('w@one.service') })
  await world.deploy()
  assert.equal(
    await links(),
    './multi-user.target.wants/w@one.service -> /etc/systemd/system/w@.service\n' +
      './w@.service -> /var/lib/deptool/apps/a/current/systemd/w@.service\n',
  )
  await web1.reboot()
  assert.equal((await web1.unit('w@one.service')).active, 'active')

  // What is undone leaves no link of an instance either.
  const before = await links()
  world.write({
    'web1/a/systemd/w@.service': unit('WantedBy=multi-user.target').replace('true', 'false'),
    'web1/a/manifest.json': instances('w@one.service', 'w@three.service'),
  })
  await world.run('prod', '--yes').exits(4).stdout(anything).stderr(anything)
  assert.equal(await links(), before)
  world.remove('web1/a')
  await world.deploy('--prune')
  assert.equal(await links(), '')
})

test('a unit that goes by its old name too is renamed, and back', realHosts, async t => {
  const app = (name: string, install: string) => ({
    [`web1/a/systemd/${name}`]: unit(install),
    'web1/a/manifest.json': JSON.stringify({ systemd: { units_enabled: [name] } }),
  })
  const world = await makeWorld(t, app('old.service', 'WantedBy=multi-user.target'), { hosts: 'real' })
  await world.deploy()
  world.remove('web1/a')
  world.write(app('new.service', 'WantedBy=multi-user.target\nAlias=old.service'))
  await world.deploy()
  await world.run('verify', 'prod').stdout('web1  ok\n')
  const web1 = world.host('web1')
  assert.equal((await web1.unit('old.service')).file, '/etc/systemd/system/new.service')

  await world.run('rollback', '--yes').stdout(anything).stderr(anything)
  await world.run('verify', 'prod').stdout('web1  ok\n')
  assert.equal((await web1.unit('old.service')).file, '/etc/systemd/system/old.service')
  assert.equal(
    await web1.output('cd /etc/systemd/system && find . -name "old*" -o -name "new*" | sort'),
    './multi-user.target.wants/old.service\n./old.service\n',
  )
})
