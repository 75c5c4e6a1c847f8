/** Versions that meet on one host: what a newer or an older git-deploy left there, and what the operator is told. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'

test('what a newer version was cut off at is told alike by ping, sync, verify and deploy, and is kept', async t => {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n' })
  await world.deploy()
  const journal = join(world.host('web1').root(), 'var/lib/deptool/journal')
  const format = {
    format: 3,
    deployment: '20291123T000000-ffffffffff',
    version: '0.9.0',
    build: '0123456789',
  }
  const text = `${JSON.stringify(format)}\n{"all": "new"}\n`
  writeFileSync(journal, text)
  const what = 'the deployment <id> was cut off here under git-deploy 0\\.9\\.0'
  const hint = "hint: end it with that version: 'git deploy ping'\n"
  await world
    .run('ping', 'prod')
    .exits(1)
    .stdout(new RegExp(`^web1 {2}${what}\n`))
    .stderr(new RegExp(hint))
  await world.run('sync', 'prod').exits(1).stdout(new RegExp(what)).stderr(new RegExp(hint))
  await world
    .run('verify', 'prod')
    .exits(1)
    .stderr(new RegExp(`web1 {2}cannot be asked: ${what}\n${hint}`))
  world.write({ 'web1/a/x': 'two\n' })
  for (const more of [[], ['--repair']])
    await world
      .run('prod', '--yes', ...more)
      .exits(1)
      .stdout(anything)
      .stderr(new RegExp(`${what}\n *${hint}`))
  t.assert.equal(readFileSync(journal, 'utf8'), text)
})
