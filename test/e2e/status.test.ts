/** `git deploy status`, for people and for scripts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeWorld } from '../support/world.ts'

test('--porcelain: columns that stay what they are, whatever the settings', async t => {
  const world = await makeWorld(t, { 'web1/a/x': '1', 'web2/a/x': '1', 'web3/a/x': '1' })
  const head = await world.git('rev-parse', 'HEAD')
  await world.deploy('HEAD')
  world.write({ 'web2/a/x': '2', 'web2/b/x': '2', 'new1/a/x': '1' })
  world.remove('web3')
  await world.deploy('--limit', 'web1')
  await world.git('config', 'color.ui', 'always')
  await world.git('config', 'core.abbrev', '12')

  const { stdout } = await world.execute(['git', 'deploy', 'status', '--porcelain'])
  const [commit1, at, id, commit2, commit3] = await Promise.all([
    world.git('rev-parse', 'refs/deptool/web1'),
    world.git('log', '-1', '--format=%aI', 'refs/deptool/web1'),
    world.git(
      'log',
      '-1',
      '--format=%(trailers:key=Deptool-Deployment,valueonly,separator=)',
      'refs/deptool/web1',
    ),
    world.git('rev-parse', 'refs/deptool/web2'),
    world.git('rev-parse', 'refs/deptool/web3'),
  ])
  // By the host's clock, and when it began there: a second may have passed since the commit was written.
  const since = stdout.split('\n').flatMap(line => /T[\d:]+\+00:00/.exec(line)?.input.split('\t')[5] ?? [])
  assert.equal(since.length, 3)
  for (const one of since) assert.ok(Math.abs(Date.parse(one) - Date.parse(at)) <= 2000, `${one}, ${at}`)
  assert.equal(
    since.reduce((text, one) => text.replaceAll(one, at), stdout),
    [
      ['new1', 'new', '1', '-', '-', '-', '-', '-', '-', '-'],
      ['web1', 'current', '0', commit1, head, at, id, 'Ada', '-', '-'],
      ['web2', 'pending', '2', commit2, head, at, id, 'Ada', '-', '-'],
      ['web3', 'vanished', '0', commit3, head, at, id, 'Ada', '-', '-'],
    ]
      .map(columns => `${columns.join('\t')}\n`)
      .join(''),
  )
})

test('--porcelain: files that were not committed, and nothing at all', async t => {
  const world = await makeWorld(t, { 'web1/a/x': '1' })
  world.write({ 'web1/a/x': '2' })
  await world.deploy()
  const head = await world.git('rev-parse', 'HEAD')
  const source = async () =>
    (await world.execute(['git', 'deploy', 'status', '--porcelain'])).stdout.split('\t')[4]
  assert.equal(await source(), `${head}+dirty`)
  await world
    .run('status', '--porcelain', '--limit=web9')
    .exits(1)
    .stderr(/^fatal: cannot select hosts/)
  world.remove('web1')
  await world.git('deploy', 'forget', 'web1')
  await world.run('status', 'prod', '--porcelain').stdout('')
})

test('a command that is typed wrong is found', async t => {
  const world = await makeWorld(t, { 'web1/a/x': '1' })
  for (const [typed, hint] of [
    ['statsu', "did you mean 'git deploy status'?"],
    ['rolback', "did you mean 'git deploy rollback'?"],
    ['prdo', "the clusters of this repository are 'prod'"],
    ['mail', "the clusters of this repository are 'prod'"],
  ] as const)
    await world
      .run(typed)
      .exits(1)
      .stderr(`fatal: cannot read '${typed}': there is no such directory\nhint: ${hint}\n`)
})
