/** --limit and --exclude, on every command that has hosts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'

const TREE = { 'db1/a/x': 'db1\n', 'web1/a/x': 'web\n', 'web2/a/x': 'web\n' }
const DEPLOYED = '/var/lib/deptool/apps/a/current/x'

test('a deployment to some hosts leaves the others as they are, and says so', async t => {
  const world = await makeWorld(t, TREE)
  await world
    .run('prod', '--yes', '--limit', 'web*', '--exclude', 'web2')
    .stdout(`prod from the working tree (main <oid>)

web1 (new host)
    add a
        + x

2 hosts left out by --limit or --exclude, 2 with changes

deployed to 1 host in 'prod' in <time> (<id>)
`)
    .stderr(anything)
  assert.equal(world.host('web1').read(DEPLOYED), 'web\n')
  assert.equal(world.host('web2').exists('/var/lib/deptool'), false)
  await world.run('plan', '--limit=web1').stdout(`prod is up to date on 1 of 3 hosts

2 hosts left out by --limit or --exclude, 2 with changes
`)
  await world.run('plan', '--exclude=web1,db1').stdout(/^web2 \(new host\)$/m)
  await world.run('diff', '--name-only', '--limit', 'db?').stdout('db1/a/x\n')
  await world.run('status', '--limit', 'web2').stdout('web2  never deployed  1 app to change\n')
})

test('a name that no host has is an error, with the one that was meant', async t => {
  const world = await makeWorld(t, TREE)
  for (const verb of ['plan', 'diff', 'status'])
    await world
      .run(verb, 'prod', '--limit', 'web3')
      .exits(1)
      .stderr("fatal: cannot select hosts: no host matches --limit='web3'\nhint: did you mean 'web1'?\n")
  await world
    .run('prod', '--yes', '--limit', 'mail*,web1', '--exclude', 'x')
    .exits(1)
    .stderr(`fatal: cannot select hosts: no host matches --limit='mail*' or --exclude='x'
hint: the hosts are 'db1', 'web1', 'web2'
`)
  await world
    .run('plan', 'prod', '--limit', 'web1', '--exclude', 'web*')
    .exits(1)
    .stderr('fatal: cannot select hosts: --limit and --exclude leave no host\n')
  assert.equal(world.host('web1').exists('/var/lib/deptool'), false)
})

test('what is wrong on a host that is left out does not stop the others', async t => {
  const world = await makeWorld(t, { ...TREE, 'db1/a/manifest.json': '{', 'db1/b': { symlink: 'a' } })
  await world.run('plan', 'prod').exits(1).stderr(/db1/)
  await world.run('plan', 'prod', '--limit', 'web1').stdout(/^web1 \(new host\)$/m)
  await world
    .run('plan', 'prod', '--exclude', 'web*')
    .exits(1)
    .stderr(/2 problems in the config tree/)
})

test('a host that is not in the tree any more is named only where it is meant', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  world.remove('web2')
  await world.run('plan', 'prod', '--limit', 'web2').stdout(/^web2 is no longer in 'prod'/)
  await world.run('plan', 'prod', '--limit', 'web1').stdout(`prod is up to date on 1 of 2 hosts

1 host left out by --limit or --exclude
`)
})

test('the hosts that are asked are those that are meant', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  await world.run('sync', '--limit', 'web*', '--exclude', 'web2').stdout('web1  unchanged <oid>\n')
  await world.run('ping', '--exclude=web1,db*').stdout(/^web2 {2}[\d./]+<time> {2}as .*\n$/)
  await world.run('verify', 'prod', '--limit', 'db1', '--limit', 'web[12]').stdout(`db1  ok
web1  ok
web2  ok
`)
  await world.run('verify', '--limit', 'db1').stdout('db1  ok\n')
})

test('the log of some hosts, named or not', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  const some = /^deployment .*\n(?:.*\n)*\n {4}from .*\n {4}web1 {2}deployed in <time>, add a\n$/
  await world.run('log', '--limit', 'web1').stdout(some)
  await world.run('log', 'web1', 'web2', '--exclude', 'web2').stdout(some)
})

test('a part of the last deployment is rolled back', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  world.write({ 'web1/a/x': 'two\n', 'web2/a/x': 'two\n' })
  await world.deploy()
  await world
    .run('rollback', '--yes', '--exclude', 'web2')
    .stdout(
      /^web1\n {4}update a\n {8}~ x\n\n1 host left out by --limit or --exclude, 1 with changes\n\ndeployed to 1 host/m,
    )
    .stderr(anything)
  assert.equal(world.host('web1').read(DEPLOYED), 'web\n')
  assert.equal(world.host('web2').read(DEPLOYED), 'two\n')
  // The last deployment is that of web1 alone by now.
  await world
    .run('rollback', '--dry-run', '--limit', 'web2')
    .exits(1)
    .stderr("fatal: cannot select hosts: no host matches --limit='web2'\nhint: did you mean 'web1'?\n")
})

test('a name that no host has is an error on every command that asks hosts', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  for (const verb of ['sync', 'ping', 'verify', 'log', 'rollback'])
    for (const option of ['--limit', '--exclude'])
      await world
        .run(verb, option, 'web3')
        .exits(1)
        .stderr(`fatal: cannot select hosts: no host matches ${option}='web3'\nhint: did you mean 'web1'?\n`)
})
