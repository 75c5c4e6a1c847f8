/** Versions that meet on one host: what a newer or an older git-deploy left there, and what the operator is told. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
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
  const what = 'deployment <id> was cut off on this host under git-deploy 0\\.9\\.0'
  const hint = "hint: run 'git deploy ping' with that version to end it\n"
  await world
    .run('ping', 'prod')
    .exits(1)
    .stdout(new RegExp(`^web1 {2}${what}\n`))
    .stderr(new RegExp(hint))
  await world.run('sync', 'prod').exits(1).stdout(new RegExp(what)).stderr(new RegExp(hint))
  await world
    .run('verify', 'prod')
    .exits(1)
    .stderr(new RegExp(`web1 {2}cannot be checked: ${what}\n${hint}`))
  world.write({ 'web1/a/x': 'two\n' })
  for (const more of [[], ['--repair']])
    await world
      .run('prod', '--yes', ...more)
      .exits(1)
      .stdout(anything)
      .stderr(new RegExp(`${what}\n *${hint}`))
  t.assert.equal(readFileSync(journal, 'utf8'), text)
})

test('what a newer version has recorded of a deployment is not taken for nothing', async t => {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n' })
  await world.deploy()
  const log = join(world.host('web1').root(), 'var/lib/deptool/log')
  const newer = { ...JSON.parse(readFileSync(log, 'utf8')), outcome: 'postponed', format: 2 }
  writeFileSync(log, `${JSON.stringify(newer)}\n`)
  // As somebody leaves it who was killed.
  const known = join(world.repo, '.git/deptool/log/web1')
  appendFileSync(known, readFileSync(known, 'utf8').replaceAll('"held"', '"unknown"'))
  await world.run('sync', 'prod').stdout(/^web1 {2}unchanged \S+\n$/)
  await world.run('log').stdout(/outcome unknown/)
})

test('a key that a newer version has deployed is not planned away', async t => {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n', 'web1/b/x': 'one\n' })
  await world.deploy()
  // As a version deploys it that knows the key.
  world.write({ 'web1/a/manifest.json': '{"weather": "fine"}' })
  await world.git('add', '--all')
  const tree = await world.git('rev-parse', `${await world.git('write-tree')}:prod/web1`)
  const message = await world.git('log', '-1', '--format=%B', 'refs/deptool/web1')
  const commit = await world.git('commit-tree', '-p', 'refs/deptool/web1', '-m', message, tree)
  await world.git('update-ref', 'refs/deptool/web1', commit)
  const refused = `fatal: cannot plan 'web1': the deployed 'a/manifest.json' has an unknown key 'weather'
hint: a newer version of git-deploy deployed it; use that version, or a newer one
`
  world.write({ 'web1/a/manifest.json': '{}' })
  await world.run('plan', 'prod').exits(1).stderr(refused)
  world.remove('web1/a')
  await world.run('plan', 'prod').exits(1).stderr(refused)
  await world.run('rollback', 'web1', '--dry-run').exits(1).stderr(refused)
})
