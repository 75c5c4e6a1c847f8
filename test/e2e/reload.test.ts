/** Reloads on a real host: what is said to run is what answers, after the reload and after its undo. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lookUp } from '../demo/services.ts'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { anything } from '../support/outcome.ts'
import type { Tree } from '../support/tree.ts'
import { makeWorld, type World } from '../support/world.ts'

const CURRENT = '/var/lib/deptool/apps/a/current'
const reloads = (...units: string[]) => ({ units_enabled: units, units_reload: units })
const manifest = (systemd: object, more: object = {}) => JSON.stringify({ systemd, ...more })

const NGINX = `[Service]
ExecStartPre=
ExecStart=
ExecStart=/usr/sbin/nginx -c ${CURRENT}/nginx.conf
ExecReload=
ExecReload=/usr/sbin/nginx -c ${CURRENT}/nginx.conf -s reload
`

function nginx(address: string, location: string, more: object = {}): Tree {
  return {
    'web1/a/systemd/nginx.service.d/a.conf': NGINX,
    'web1/a/nginx.conf': `pid /run/nginx.pid;
error_log stderr;
events {}
http { access_log off; server { listen ${address}:18080; location / { ${location} } } }
`,
    'web1/a/manifest.json': manifest(reloads('nginx.service'), more),
  }
}

const PAGE = 'http://127.0.0.1:18080/'

async function statusOf(host: TestHost): Promise<number> {
  return (await fetch(`http://${host.address}:18080/`)).status
}

async function failsOnce(world: World<TestHost>, said: RegExp): Promise<void> {
  await world.run('prod', '--yes').exits(4).stdout(anything).stderr(said)
}

test('a check is answered by what a reload has brought, and not by what ran before', realHosts, async t => {
  const world = await makeWorld(
    t,
    addressOf =>
      nginx(addressOf('web1'), 'return 200;', {
        checks: [{ http: PAGE.replace('127.0.0.1', addressOf('web1')) }],
      }),
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world.deploy()
  const { pid } = await web1.unit('nginx.service')
  for (const location of ['return 503;', 'return 404;']) {
    const tree = nginx(web1.address, location)
    world.write({ 'web1/a/nginx.conf': tree['web1/a/nginx.conf']! })
    await failsOnce(world, /rolled back: check http http:.* is 200 failed .*the answer is (503|404)/)
    assert.equal(await statusOf(web1), 200)
  }
  // A reload undid each of them.
  assert.equal((await web1.unit('nginx.service')).pid, pid)
})

test('a configuration that nginx refuses costs no connection', realHosts, async t => {
  const world = await makeWorld(t, addressOf => nginx(addressOf('web1'), 'return 200;'), { hosts: 'real' })
  const web1 = world.host('web1')
  await world.deploy()
  const { pid } = await web1.unit('nginx.service')
  world.write({ 'web1/a/nginx.conf': 'what is this;\n' })
  await failsOnce(
    world,
    /rolled back: nginx\.service failed to reload \(exit-code\)(.|\n)*what(.|\n)*it is as it was before/,
  )
  assert.equal((await web1.unit('nginx.service')).pid, pid)
  assert.equal(await statusOf(web1), 200)
})

/** Tells that it is ready. After a reload with bad files, it ends. */
const notifies = (seconds: number): Tree => ({
  'web1/a/serve': {
    executable: `#!/bin/sh
trap 'if grep -q bad ${CURRENT}/x; then sleep ${seconds}; exit 3; fi' HUP
systemd-notify --ready
while :; do sleep 0.02; done
`,
  },
  'web1/a/systemd/a.service': `[Service]
Type=notify
NotifyAccess=all
ExecStart=${CURRENT}/serve
ExecReload=/bin/kill -HUP $MAINPID
`,
  'web1/a/x': 'good\n',
  'web1/a/manifest.json': manifest(reloads('a.service')),
})

for (const seconds of [0.1, 0.7])
  test(`a unit that tells its readiness, and dies ${seconds} s after a reload`, realHosts, async t => {
    const world = await makeWorld(t, notifies(seconds), { hosts: 'real' })
    await world.deploy()
    world.write({ 'web1/a/x': 'bad\n' })
    await failsOnce(world, /rolled back: a\.service exited with 3/)
    assert.equal((await world.host('web1').unit('a.service')).active, 'active')
  })

const nsd = (address: string, zones: { readonly directory?: string; readonly file: string }) => `server:
  ip-address: ${address}@18053
${zones.directory === undefined ? '' : `  zonesdir: "${zones.directory}"\n`}remote-control:
  control-enable: no
zone:
  name: example.org
  zonefile: ${zones.file}
`
const nsdManifest = manifest(reloads('nsd.service'), {
  symlinks: { '/etc/nsd/nsd.conf.d/a.conf': 'nsd.conf' },
})

const ZONE = (address: string) =>
  `$ORIGIN example.org.\n$TTL 60\n@ SOA ns.example.org. root.example.org. 1 1 1 1 1\n@ NS ns\nns A ${address}\n`

test('a name server that works in the directory of an old version has not reloaded', realHosts, async t => {
  const world = await makeWorld(
    t,
    addressOf => ({
      'web1/a/nsd.conf': nsd(addressOf('web1'), { directory: `${CURRENT}/zones`, file: 'example.org.zone' }),
      'web1/a/zones/example.org.zone': ZONE('192.0.2.1'),
      'web1/a/manifest.json': nsdManifest,
    }),
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world.deploy()
  world.write({ 'web1/a/zones/example.org.zone': ZONE('192.0.2.2') })
  await failsOnce(
    world,
    /rolled back: nsd\.service still works in the old version \(\S+\/zones\) after its reload; to have it restarted, remove it from 'units_reload'\n/,
  )
  assert.equal((await web1.unit('nsd.service')).active, 'active')
  await world.run('verify', 'prod').stdout(/^web1 {2}ok\n/)
})

test('a name server that names its zones by absolute paths serves each version', realHosts, async t => {
  const world = await makeWorld(
    t,
    addressOf => ({
      'web1/a/nsd.conf': nsd(addressOf('web1'), { file: `${CURRENT}/zones/example.org.zone` }),
      'web1/a/zones/example.org.zone': ZONE('192.0.2.1'),
      'web1/a/manifest.json': nsdManifest,
    }),
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world.deploy()
  const { pid } = await web1.unit('nsd.service')
  for (const address of ['192.0.2.2', '192.0.2.3', '192.0.2.4']) {
    world.write({ 'web1/a/zones/example.org.zone': ZONE(address) })
    await world.deploy()
    assert.equal(await lookUp('ns.example.org', `${web1.address}:18053`), address)
  }
  assert.equal((await web1.unit('nsd.service')).pid, pid)
})

const mounts = (what: string): Tree => ({
  'web1/a/x': 'one\n',
  'web1/a/systemd/a.service': `[Service]
BindReadOnlyPaths=${what}:/mnt
ExecStart=/bin/sleep infinity
ExecReload=/bin/true
`,
  'web1/a/manifest.json': manifest(reloads('a.service')),
})

test('a service that mounts one version has not reloaded', realHosts, async t => {
  const world = await makeWorld(t, mounts(CURRENT), { hosts: 'real' })
  await world.deploy()
  world.write({ 'web1/a/x': 'two\n' })
  await failsOnce(
    world,
    /rolled back: a\.service still mounts the old version \(\/mnt\) after its reload; to have it restarted, remove it from 'units_reload'\n/,
  )
})

test('a unit that goes on in an old version is drift, and repaired by a restart', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/files/x': 'one\n',
      'web1/a/systemd/a.service': `[Service]
WorkingDirectory=/var/lib/deptool/apps/files/current
ExecStart=/bin/sleep infinity
`,
      'web1/a/manifest.json': manifest({ units_enabled: ['a.service'] }),
    },
    { hosts: 'real' },
  )
  await world.deploy()
  world.write({ 'web1/files/x': 'two\n' })
  await world.deploy()
  await world
    .run('verify', 'prod')
    .exits(2)
    .stdout(/^web1 {2}a\.service still works in the old version \(\S+\)\n/)
  await world
    .run('prod', '--repair', '--yes')
    .stdout(/restart a\.service\n/)
    .stderr(anything)
  await world.run('verify', 'prod').stdout('web1  ok\n')
})

test('a service that mounts the directory of all versions sees each of them', realHosts, async t => {
  const world = await makeWorld(t, mounts('/var/lib/deptool/apps/a'), { hosts: 'real' })
  const web1 = world.host('web1')
  await world.deploy()
  const { pid } = await web1.unit('a.service')
  for (const x of ['two\n', 'three\n', 'four\n']) {
    world.write({ 'web1/a/x': x })
    await world.deploy()
    assert.equal(await web1.output(`cat /proc/${pid}/root/mnt/current/x`), x)
  }
  assert.equal((await web1.unit('a.service')).pid, pid)
})

test('a version that a process works in, or mounts, is kept', realHosts, async t => {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n', 'web1/b/x': 'one\n' }, { hosts: 'real' })
  const web1 = world.host('web1')
  await world.deploy()
  const [a, b] = ['a', 'b'].map(app => `/var/lib/deptool/apps/${app}/current`)
  await web1.output(`systemd-run --quiet --unit=in-a sh -c 'cd ${a} && exec sleep infinity'
systemd-run --quiet --unit=on-b --property=BindReadOnlyPaths=${b}:/mnt sleep infinity`)
  for (const x of ['two\n', 'three\n', 'four\n']) {
    world.write({ 'web1/a/x': x, 'web1/b/x': x })
    await world.deploy()
  }
  const pidOf = async (unit: string) => (await web1.unit(unit)).pid
  assert.equal(await web1.output(`cat /proc/${await pidOf('in-a.service')}/cwd/x`), 'one\n')
  assert.equal(await web1.output(`cat /proc/${await pidOf('on-b.service')}/root/mnt/x`), 'one\n')
  await web1.output('systemctl stop in-a.service on-b.service')
  world.write({ 'web1/a/x': 'five\n', 'web1/b/x': 'five\n' })
  await world.deploy()
  assert.equal(await web1.output('ls -d /var/lib/deptool/apps/[ab]/?????????? | wc -l'), '4\n')
})

test('the plan says how a unit takes up a change, and progress says how it did', realHosts, async t => {
  const sleeps = '[Service]\nExecStart=/bin/sleep infinity\n'
  const world = await makeWorld(
    t,
    {
      'web1/a/x': 'one\n',
      'web1/a/systemd/can.service': `${sleeps}ExecReload=/bin/true\n`,
      'web1/a/systemd/cannot.service': sleeps,
      'web1/a/manifest.json': manifest(
        reloads('can.service', 'cannot.service', 'packaged.service', 'reloadable.service'),
      ),
    },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  const directory = '/usr/lib/systemd/system'
  await web1.output(`printf '${sleeps.replaceAll('\n', '\\n')}' >${directory}/packaged.service
cp ${directory}/packaged.service ${directory}/reloadable.service
echo ExecReload=/bin/true >>${directory}/reloadable.service; systemctl daemon-reload`)
  await world.deploy()
  const pids = () =>
    Promise.all(
      ['can', 'cannot', 'packaged', 'reloadable'].map(async name => (await web1.unit(`${name}.service`)).pid),
    )
  const before = await pids()
  world.write({ 'web1/a/x': 'two\n' })
  await world
    .run('prod', '--yes')
    .stdout(
      /restart cannot\.service\n {8}reload can\.service\n {8}reload or restart packaged\.service, reloadable\.service\n/,
    )
    .stderr(/restarted packaged\.service, which cannot be reloaded\n/)
  const after = await pids()
  assert.deepEqual(
    after.map((pid, i) => pid === before[i]),
    [true, false, false, true],
  )
  world.write({ 'web1/a/x': 'three\n' })
  await world
    .run('prod', '--yes', '--json')
    .stdout(/"kind":"restarted","units":\["packaged\.service"\]/)
    .stderr(anything)
})
