/** Hosts that hold, and a repository that cannot take it down. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld } from '../support/world.ts'

test('refs that cannot be moved: the hosts hold, and the operator is told so', async t => {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n' })
  await world.deploy()
  world.write({ 'web1/a/x': 'two\n' })
  const lock = join(world.repo, '.git/refs/deptool/web1.lock')
  writeFileSync(lock, '')
  await world
    .run('prod', '--yes')
    .exits(6)
    .stdout(/update a/)
    .stderr(
      /web1 {2}deployed\nfatal: deployed to web1, but cannot record the deployment: (.|\n)*web1.lock(.|\n)*\nhint: the hosts run the new version; fix the cause, then run 'git deploy sync prod' to record it\n$/,
    )
  assert.equal(world.host('web1').read('/var/lib/deptool/apps/a/current/x'), 'two\n')
  rmSync(lock)
})

test('refs that somebody else is just moving are tried again', async t => {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n' })
  const lock = join(world.repo, '.git/refs/refs')
  await world.git('update-ref', 'refs/refs/other', 'HEAD')
  writeFileSync(`${lock}/deptool.lock`, '')
  const trace = join(world.home, 'trace')
  world.env['GIT_TRACE'] = trace
  const deployed = world.deploy()
  const tries = () => readFileSync(trace, 'utf8').match(/ update-ref .*--stdin/g)?.length ?? 0
  await waitFor('a second try', () => existsSync(trace) && tries() > 1)
  rmSync(`${lock}/deptool.lock`)
  await deployed
  await world.run('prod').stdout('prod is up to date (1 host)\n')
})
