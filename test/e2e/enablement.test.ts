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
      /update a\n {8}~ systemd\/u.service\n {8}daemon-reload\n {8}enable u.service\n {8}restart u.service\n/,
    )
    .stderr(anything)
  const after = `./also-u.service -> /etc/systemd/system/u.service\n./timers.target.wants/u.service -> /etc/systemd/system/u.service\n${own}`
  assert.equal(await enabledBy(), after)
  assert.equal((await web1.unit('u.service')).enabled, 'enabled')

  // Nothing wants it any more; and a deployment that fails after that puts everything back.
  world.write({ 'web1/a/systemd/u.service': unit('').replace('true', 'false') })
  await world.run('prod', '--yes').exits(4).stdout(anything).stderr(anything)
  assert.equal(await enabledBy(), after)
  world.write({ 'web1/a/systemd/u.service': unit('') })
  await world.deploy()
  assert.equal(await enabledBy(), own)
  await world.run('verify', 'prod').stdout('web1  ok\n')
})
