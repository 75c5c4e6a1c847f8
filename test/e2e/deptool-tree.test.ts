/** A config tree as deptool's users have it: every special directory, a drop-in, a symlink, an empty host, a stray file. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import { makeWorld } from '../support/world.ts'

const UNIT = `[Unit]
Description=an app of deptool's
[Service]
User=example
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
`

const TREE = {
  'README.md': 'A stray file beside the hosts.\n',
  'web1/README.md': 'A stray file beside the apps.\n',
  'web1/app/app.conf': 'setting = 1\n',
  'web1/app/manifest.json': JSON.stringify({
    systemd: { units_enabled: ['app.service', 'tidy.timer'] },
    symlinks: { '/etc/app.conf': 'app.conf' },
  }),
  'web1/app/systemd/app.service': UNIT,
  'web1/app/systemd/app.service.d/nice.conf': '[Service]\nNice=5\n',
  'web1/app/systemd/tidy.service': '[Service]\nType=oneshot\nExecStart=/bin/true\n',
  'web1/app/systemd/tidy.timer': '[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n',
  'web1/app/sysusers/example.conf': 'u example - "an example"\n',
  'web1/box/quadlets/box.container': '[Container]\nImage=example.org/box\n',
  'web2/.gitkeep': '',
}

test('it deploys unchanged', realHosts, async t => {
  const world = await makeWorld(t, TREE, { hosts: 'real' })
  const web1 = world.host('web1')
  await world
    .run('prod', '--yes')
    .stdout(
      `prod from the working tree (main <oid>)

web1 (new host)
    add app
        + app.conf
        + manifest.json
        + systemd/app.service
        + systemd/app.service.d/nice.conf
        + systemd/tidy.service
        + systemd/tidy.timer
        + sysusers/example.conf
        create users
        link /etc/app.conf
        link /etc/systemd/system/app.service
        link /etc/systemd/system/app.service.d/nice.conf
        link /etc/systemd/system/tidy.service
        link /etc/systemd/system/tidy.timer
        link /etc/sysusers.d/example.conf
        enable app.service, tidy.timer
        restart app.service, tidy.timer
    add box
        + quadlets/box.container
        link /etc/containers/systemd/box.container
    daemon-reload

deployed to 1 host in 'prod' in <time> (<id>)
`,
    )
    // box makes no unit here, and none is asked for: its files are there for the day podman is.
    .stderr(/this host has no quadlet generator/)
  assert.equal(web1.read('/etc/app.conf'), 'setting = 1\n')
  assert.equal((await web1.unit('app.service')).active, 'active')
  assert.equal((await web1.unit('tidy.timer')).sub, 'waiting')
  assert.equal(await web1.output('systemctl show -p Nice,User app.service'), 'Nice=5\nUser=example\n')
  assert.equal(
    web1.readlink('/etc/containers/systemd/box.container'),
    '/var/lib/deptool/apps/box/current/quadlets/box.container',
  )
  assert.equal(web1.exists('/var/lib/deptool/apps/README.md'), false)
  await world.run('prod').stdout('prod is up to date (2 hosts)\n')

  world.write({ 'web1/app/app.conf': 'setting = 2\n' })
  await world.deploy()
  assert.equal(
    (await web1.unit('app.service')).needsReload,
    'no',
    'a drop-in that did not change is no change',
  )
  world.remove('web1/app/systemd/app.service.d')
  await world.deploy()
  assert.equal(web1.exists('/etc/systemd/system/app.service.d'), false)
  assert.equal(await web1.output('systemctl show -p Nice app.service'), 'Nice=0\n')
})

test("a host moves over from deptool, with deptool's apps and links in place", async t => {
  const world = await makeWorld(t, {
    'web1/app/app.conf': 'setting = 1\n',
    'web1/app/systemd/app.service': UNIT,
    'web1/app/manifest.json': '{"symlinks": {"/etc/app.conf": "app.conf"}}',
  })
  const host = world.host('web1')
  const apps = join(host.directory, 'var/lib/deptool/apps/app')
  mkdirSync(join(apps, '0a1b2c3d4e'), { recursive: true })
  writeFileSync(join(apps, '0a1b2c3d4e/app.conf'), 'setting = 0\n')
  symlinkSync('0a1b2c3d4e', join(apps, 'current'))
  symlinkSync('/var/lib/deptool/apps/app/current/app.conf', join(host.directory, 'etc/app.conf'))
  const unit = '/var/lib/deptool/apps/app/current/systemd/app.service'
  symlinkSync(unit, join(host.directory, 'etc/systemd/system/app.service'))
  const store = join(host.directory, 'var/lib/deptool/store')
  await world.git('clone', '--quiet', '--bare', world.repo, store)
  renameSync(store, `${store}.deptool`)
  mkdirSync(store, { mode: 0o755 })

  await world.run('plan', 'prod').stdout(/^web1 \(new host\)$/m)
  await world.deploy()
  assert.equal(host.read('/etc/app.conf'), 'setting = 1\n')
  assert.equal(host.read(unit), UNIT)
  assert.equal(statSync(store).mode & 0o777, 0o700)
  await world.run('verify', 'prod').stdout('web1  ok\n')
  world.write({ 'web1/app/app.conf': 'setting = 2\n' })
  await world.deploy()
  assert.deepEqual(
    readdirSync(apps).filter(name => name.startsWith('0a')),
    [],
    "deptool's version is collected",
  )
  world.remove('web1/app')
  mkdirSync(join(world.repo, 'prod/web1'), { recursive: true })
  await world.deploy()
  assert.deepEqual(
    host.tree('/etc').filter(line => line.includes('->')),
    [],
  )
})
