/** A host that has lost /var, and kept /etc: every command leads out of it. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'

test('a host that was reinstalled, or has lost its record, is deployed to again', async t => {
  const world = await makeWorld(t, {
    'web1/a/x': 'one\n',
    'web1/a/manifest.json': '{"symlinks": {"/etc/x.conf": "x"}}',
    'web1/b/y': 'y\n',
  })
  await world.deploy()
  rmSync(join(world.host('web1').directory, 'var/lib/deptool'), { recursive: true })
  assert.equal(world.host('web1').readlink('/etc/x.conf'), '/var/lib/deptool/apps/a/current/x')
  // Without anything to change no host is asked.
  await world.run('prod', '--yes').stdout('prod is up to date (1 host)\n')
  await world.run('verify', 'prod').exits(2).stdout(anything)
  const { stderr } = await world
    .run('--repair', 'prod')
    .exits(1)
    .stderr(/git deploy sync/)
  assert.match(stderr, /run 'git deploy sync', then deploy instead/)
  await world.run('sync', 'prod').stdout(/^web1 {2}REINSTALLED|reinstalled/)
  await world.deploy()
  assert.equal(world.host('web1').read('/etc/x.conf'), 'one\n')
  await world.run('verify', 'prod').stdout(anything)
})
