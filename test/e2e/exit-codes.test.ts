/** What a script goes by: every exit code of git-deploy(1), once; 6 is in record.test.ts. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { EXIT } from '../../src/errors.ts'
import { VERB_NAMES } from '../../src/verb-names.ts'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import { waitFor } from '../support/wait-for.ts'
import { makeWorld } from '../support/world.ts'

const TREE = { 'web1/a/x': 'one\n' }

test('0: done, and nothing to do', async t => {
  const world = await makeWorld(t, TREE)
  for (const said of [/deployed to 1 host/, /up to date/])
    await world.run('prod', '--yes').exits(EXIT.done).stdout(said).stderr(anything)
  await world
    .run('plan', '--exit-code')
    .exits(EXIT.done)
    .stdout(/up to date/)
})

test('1: failed, and no host was changed', async t => {
  const world = await makeWorld(t, { ...TREE, 'db1/a/x': 'one\n' })
  await world.git('config', 'deptool-host.db1.url', 'local:/nonexistent/place')
  await world
    .run('prod', '--yes')
    .exits(EXIT.failed)
    .stdout(anything)
    .stderr(
      /\nfatal: cannot deploy 'prod': no host was changed\nhint: to deploy to the other hosts anyway, add --skip-unreachable\n$/,
    )
  assert.equal(world.host('web1').exists('/var/lib/deptool/apps/a'), false)
})

test('2: changes are pending', async t => {
  const world = await makeWorld(t, TREE)
  await world.run('plan', 'prod', '--exit-code').exits(EXIT.pending).stdout(/add a/)
  await world
    .run('plan', 'prod', '--exit-code', '--json')
    .exits(EXIT.pending)
    .stdout(/"changed":1/)
})

test('2: a host is not as it was deployed', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  await world.run('verify').exits(EXIT.done).stdout('web1  ok\n')
  writeFileSync(join(world.host('web1').root(), 'var/lib/deptool/apps/a/current/x'), 'edited\n')
  await world.run('verify').exits(EXIT.pending).stdout('web1  a/x was changed\n')
})

test('1: a host could not be asked', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  await world.git('config', 'deptool-host.web1.url', 'local:/nonexistent/place')
  for (const verb of ['ping', 'sync', 'verify'])
    await world
      .run(verb)
      .exits(EXIT.failed)
      .stdout(anything)
      .stderr(/(^|\n)fatal: cannot \w+( with)? web1\b.*\n$/)
})

test('3: declined', async t => {
  const world = await makeWorld(t, TREE)
  await world
    .runInTerminal(['prod'], [[/\[y\/N\/d\] $/, 'n\n']])
    .exits(EXIT.declined)
    .stdout(/not deployed/)
})

test('4: rolled back on some hosts', realHosts, async t => {
  const fails = {
    'web1/a/systemd/a.service': '[Service]\nExecStart=/bin/false\n',
    'web1/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"]}}',
  }
  const world = await makeWorld(t, { ...fails, 'db1/a/x': 'one\n' }, { hosts: 'real' })
  await world
    .run('prod', '--yes')
    .exits(EXIT.partial)
    .stdout(anything)
    .stderr(/\nfatal: deployed to 1 of 2 hosts, but rolled back on web1: it is as it was before\nhint: /)
})

test('5: how it ended is not known', realHosts, async t => {
  const slow = {
    'web1/a/systemd/a.service': '[Service]\nExecStart=/bin/sleep infinity\n',
    'web1/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"], "settle_ms": 1500}}',
  }
  const world = await makeWorld(t, slow, { hosts: 'real' })
  await world.git('config', 'deptool.confirmTimeout', '2')
  const relay = await world.relay('web1')
  const { outcome } = world.start('prod', '--yes')
  const checked = outcome
    .exits(EXIT.unknown)
    .stdout(anything)
    .stderr(/\nfatal: cannot tell how deployment <id> ended on web1\n/)
  const journal = 'grep -q "^[0-9]" /var/lib/deptool/journal'
  await waitFor('an activation under way', async () => (await world.host('web1').sh(journal)).code === 0)
  relay.refuse()
  relay.cut()
  await checked

  // Who takes the change back in the tree is not told that all is well.
  world.remove('web1/a')
  world.write({ 'web1/.gitkeep': '' })
  await world
    .run('prod', '--yes')
    .exits(EXIT.failed)
    .stdout(
      /^web1: the outcome of deployment <id> is unknown\nhint: run 'git deploy sync prod' to find out\n\nprod: nothing/,
    )
    .stderr("fatal: cannot tell whether 'prod' is up to date: the state of web1 is uncertain\n")
})

test("129: git diff's own word on what it does not know", async t => {
  const world = await makeWorld(t, TREE)
  await world
    .run('diff', 'prod', '--nonsense')
    .exits(EXIT.usage)
    .stderr(/^(error: invalid option: --nonsense|usage: git diff )/)
})

for (const verb of [...VERB_NAMES, ''].filter(verb => !['deploy', 'diff'].includes(verb)))
  test(`129: git deploy ${verb} with an option that there is none of`, async t => {
    const world = await makeWorld(t, TREE)
    await world
      .run(...[verb, '--nonsense'].filter(Boolean))
      .exits(EXIT.usage)
      .stderr(
        new RegExp(`^error: unknown option '--nonsense'\nhint: .*\nusage: git deploy ${verb || '\\['}.*\n$`),
      )
  })

test('129: the command line was wrong', async t => {
  const world = await makeWorld(t, TREE)
  await world
    .run('plan', 'prod', 'HEAD', 'more')
    .exits(EXIT.usage)
    .stderr(/^error: unexpected argument 'more'\n/)
  await world
    .run('apply')
    .exits(EXIT.usage)
    .stderr(/^error: no saved plan given\n/)
})
