/** A checkout that one may read and not write: what needs no write works, the rest says what is in the way. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { needs } from '../support/needs.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'

const READ_ONLY = /^fatal: cannot write to the repository '.*\/repo\/\.git': read-only file system\n/

async function deployed(t: TestContext) {
  const mounted: string[] = []
  // What is registered first is done first: the world cannot be removed while it is mounted.
  t.after(() => {
    for (const directory of mounted) execFileSync('umount', [directory])
  })
  const world = await makeWorld(t, { 'web1/a/x': 'one\n', 'web1/a/d/y': 'y\n' })
  await world.deploy()
  world.write({ 'web1/a/x': 'two\n', 'web1/a/d/z': 'z\n' })
  const makeReadOnly = () => {
    execFileSync('mount', ['--bind', world.repo, world.repo])
    mounted.push(world.repo)
    execFileSync('mount', ['-o', 'remount,ro,bind', world.repo])
  }
  return { world, makeReadOnly }
}

const mayMount = needs('mounts')

test('what is committed is planned in a read-only checkout', mayMount, async t => {
  const { world, makeReadOnly } = await deployed(t)
  await world.commit()
  makeReadOnly()
  const plan = /^prod (.*)\n\nweb1\n {4}update a\n {8}\+ d\/z\n {8}~ x\n$/
  await world.run('plan', 'prod').stdout(plan)
  await world.run('plan', 'prod', 'HEAD').stdout(plan)
  await world.run('prod', '--dry-run').stdout(plan)
  await world.run('check', 'prod').stdout(/^prod can be deployed/)
  await world.run('status', 'prod').stdout(/^web1 .* 1 app to change\n$/)
  await world.run('diff', 'prod', '--name-only').stdout('web1/a/d/z\nweb1/a/x\n')
})

test('what is not in a read-only repository cannot be planned from there', mayMount, async t => {
  const { world, makeReadOnly } = await deployed(t)
  makeReadOnly()
  for (const args of [
    ['plan', 'prod'],
    ['diff', 'prod'],
    ['status', 'prod'],
    ['check', 'prod'],
    ['prod', '--yes'],
  ]) {
    const { stderr } = await world
      .run(...args)
      .exits(1)
      .stderr(READ_ONLY)
    assert.match(stderr, /\nhint: to plan the last commit, run 'git deploy plan <cluster> HEAD'\n$/)
  }
  await world.run('plan', 'prod', 'HEAD').stdout(/up to date/)
})

test('nothing is deployed or synced where it cannot be recorded', mayMount, async t => {
  const { world, makeReadOnly } = await deployed(t)
  await world.commit()
  makeReadOnly()
  await world.run('prod', '--yes').exits(1).stdout(anything).stderr(READ_ONLY)
  assert.equal(world.host('web1').read('/var/lib/deptool/apps/a/current/x'), 'one\n')
  await world.run('check', 'prod', '--staged').exits(1).stderr(READ_ONLY)
  await world.run('sync', 'prod').exits(1).stdout(anything).stderr(READ_ONLY)
})

test('a repository of somebody else', mayMount, async t => {
  const { world } = await deployed(t)
  execFileSync('chmod', ['-R', 'a+rwX', join(world.repo, '..', '..')])
  execFileSync('chmod', ['-R', 'a-w', join(world.repo, '.git')])
  await world.git('config', '--global', 'safe.directory', '*')
  const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
  const { code, stderr } = await world.execute([...asNobody, 'git', 'deploy', 'plan', 'prod'])
  assert.equal(code, 1)
  assert.match(stderr, /^fatal: cannot write to the repository '.*': permission denied\nhint: to plan/)
})
