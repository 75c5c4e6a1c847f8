/** What an undo does to units on a real host: no more than the deployment did. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld, type World } from '../support/world.ts'

const CURRENT = '/var/lib/deptool/apps/a/current'
const sleeps = '[Service]\nExecStart=/bin/sleep infinity\n'
const manifest = (systemd: object, more: object = {}) => JSON.stringify({ systemd, ...more })

async function isUndone(world: World<TestHost>) {
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(anything)
    .stderr(/it is as it was before/)
}

/** Notes each time that it runs, with what it reads. */
const notes = (kind: string) => `[Service]
${kind}
ExecStart=/bin/sh -c 'cat ${CURRENT}/x >>/run/$0' %n
`

test('oneshots run again with the old files only where they were active', realHosts, async t => {
  const units = ['stays.service', 'passes.service', 'b.service']
  const world = await makeWorld(
    t,
    {
      'web1/a/x': 'one\n',
      'web1/a/systemd/stays.service': notes('Type=oneshot\nRemainAfterExit=yes'),
      'web1/a/systemd/passes.service': notes('Type=oneshot'),
      'web1/a/systemd/b.service': `[Unit]\nAfter=stays.service passes.service\n[Service]\nExecStartPre=/bin/grep -v two ${CURRENT}/x\nExecStart=/bin/sleep infinity\n`,
      'web1/a/manifest.json': manifest({ units_enabled: units }),
    },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world.deploy()
  world.write({ 'web1/a/x': 'two\n' })
  await isUndone(world)
  assert.equal(await web1.output('cat /run/stays.service'), 'one\ntwo\none\n')
  assert.equal(await web1.output('cat /run/passes.service'), 'one\ntwo\n')
})

test('units whose step had not begun are not touched', realHosts, async t => {
  const reloads = ['r.service']
  const world = await makeWorld(
    t,
    {
      'web1/a/x': 'one\n',
      'web1/a/systemd/b.service': `[Service]\nExecStartPre=/bin/grep -v two ${CURRENT}/x\nExecStart=/bin/sleep infinity\n`,
      'web1/a/systemd/r.service': `${sleeps}ExecReload=/bin/sh -c 'echo reloaded >>/run/reloads'\n`,
      'web1/a/manifest.json': manifest({ units_enabled: ['b.service', ...reloads], units_reload: reloads }),
    },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world.deploy()
  const { pid } = await web1.unit('r.service')
  world.write({ 'web1/a/x': 'two\n' })
  await isUndone(world)
  assert.equal((await web1.unit('r.service')).pid, pid)
  assert.equal(await web1.output('cat /run/reloads 2>/dev/null || echo none'), 'none\n')
})

test('a reload is undone by a reload, and by a restart where that fails', realHosts, async t => {
  // With 'stuck', the process that has read bad files does not reload any more.
  const onReload = `/bin/sh -c 'cat ${CURRENT}/x >>/run/reloads; grep -q stuck ${CURRENT}/x && touch /run/stuck; ! test -e /run/stuck'`
  const world = await makeWorld(
    t,
    {
      'web1/a/x': 'one\n',
      'web1/a/systemd/a.service': `[Service]\nExecStartPre=/bin/rm -f /run/stuck\nExecStart=/bin/sleep infinity\nExecReload=${onReload}\n`,
      'web1/a/manifest.json': manifest(
        { units_enabled: ['a.service'], units_reload: ['a.service'] },
        { checks: [{ unix: '/run/nonesuch', within_ms: 10 }] },
      ),
    },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  world.write({
    'web1/a/manifest.json': manifest({ units_enabled: ['a.service'], units_reload: ['a.service'] }),
  })
  await world.deploy()
  const { pid } = await web1.unit('a.service')
  world.write({
    'web1/a/x': 'two\n',
    'web1/a/manifest.json': manifest(
      { units_enabled: ['a.service'], units_reload: ['a.service'] },
      { checks: [{ unix: '/run/nonesuch', within_ms: 10 }] },
    ),
  })
  await isUndone(world)
  assert.equal((await web1.unit('a.service')).pid, pid)
  assert.equal(await web1.output('cat /run/reloads'), 'two\none\n')

  world.write({ 'web1/a/x': 'stuck\n' })
  await isUndone(world)
  const after = await web1.unit('a.service')
  assert.notEqual(after.pid, pid)
  assert.equal(after.active, 'active')
})

test(
  'a unit that ends with an error when it is stopped is started as often as it takes',
  realHosts,
  async t => {
    const world = await makeWorld(
      t,
      {
        'web1/a/serve': { executable: `#!/bin/sh\ntrap 'exit 143' TERM\nsleep infinity & wait\n` },
        'web1/a/systemd/a.service': `[Service]\nExecStart=${CURRENT}/serve\n`,
        'web1/a/manifest.json': manifest({ units_enabled: ['a.service'], settle_ms: 0 }),
      },
      { hosts: 'real' },
    )
    for (let i = 0; i < 8; i++) {
      world.write({ 'web1/a/x': `${i}\n` })
      await world.deploy()
    }
    assert.equal((await world.host('web1').unit('a.service')).active, 'active')
  },
)
