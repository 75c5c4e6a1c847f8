/** How long units are watched on a real host, and what is said of it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'

const manifest = (systemd: object) => JSON.stringify({ systemd })
const exits = (seconds: number, kind: string) =>
  `[Service]\n${kind}\nExecStart=/bin/sh -c 'systemd-notify --ready; sleep ${seconds}; exit 3'\n`
const NOTIFY = 'Type=notify\nNotifyAccess=all'

test('a settle time that is given counts for units of every type', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/a.service': exits(1, NOTIFY),
      'web1/a/manifest.json': manifest({ units_enabled: ['a.service'], settle_ms: 3000 }),
    },
    { hosts: 'real' },
  )
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(/restart a\.service\n {8}watch a\.service for <time>\n/)
    .stderr(/watching a\.service for <time>\n(.|\n)*rolled back: a\.service exited with 3/)
})

test('a container that exits at once is noticed, though it was reported as ready', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/box/quadlets/box.container': exits(0.1, NOTIFY),
      'web1/box/manifest.json': manifest({ units_enabled: ['box.service'] }),
    },
    { hosts: 'real' },
  )
  const directory = '/usr/local/lib/systemd/system-generators'
  await world.host('web1').output(`mkdir -p ${directory}
printf '#!/bin/sh\\ncp /etc/containers/systemd/box.container "$1/box.service"\\n' >${directory}/podman-system-generator
chmod 0755 ${directory}/podman-system-generator`)
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(anything)
    .stderr(/rolled back: box\.service exited with 3/)
})

test('a unit that says when it is ready is not waited for any longer', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/a.service': `[Service]\n${NOTIFY}\nExecStart=/bin/sh -c 'systemd-notify --ready; exec sleep infinity'\n`,
      'web1/a/manifest.json': manifest({ units_enabled: ['a.service'] }),
    },
    { hosts: 'real' },
  )
  const { stderr } = await world.run('prod', '--yes').stdout(anything).stderr(anything)
  assert.doesNotMatch(stderr, /watching/)
})

test('no unit of the host is left for changed when units are enabled and disabled', realHosts, async t => {
  const sleeps = '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n'
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/a.service': sleeps,
      'web1/a/manifest.json': manifest({ units_enabled: ['a.service'] }),
    },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world.deploy()
  const changed = () =>
    web1.output("systemctl show --property=NeedDaemonReload '*.service' | sort -u | grep .")
  assert.equal(await changed(), 'NeedDaemonReload=no\n')
  world.write({ 'web1/a/manifest.json': manifest({}) })
  await world.deploy()
  assert.equal(await changed(), 'NeedDaemonReload=no\n')
})
