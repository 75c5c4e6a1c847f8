/** `plan -o` and `apply`: a plan that is looked at by somebody before it is carried out, exactly so, once. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import type { Operator } from '../support/operator.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'

const TREE = { 'db1/a/x': 'secret one\n', 'web1/a/x': 'one\n' }
const DEPLOYED = '/var/lib/deptool/apps/a/current/x'

const file = (world: Operator, name = 'p.json') => join(world.home, name)

/** Saves the plan, beside the repository. */
async function save(world: Operator, ...args: string[]): Promise<string> {
  await world
    .run('plan', '-o', file(world), ...args)
    .stdout(anything)
    .stderr("saved in '<dir>/ada/home/p.json'; to deploy it: git deploy apply <dir>/ada/home/p.json\n")
  return file(world)
}

/** The plan with something else in it. */
function edit(path: string, change: (text: string) => string): string {
  const edited = `${path}.edited`
  writeFileSync(edited, change(readFileSync(path, 'utf8')))
  return edited
}

test('a saved plan is carried out as it was seen, whatever has changed on disk since, and once', async t => {
  const world = await makeWorld(t, TREE)
  const plan = await save(world, 'prod')
  assert.doesNotMatch(readFileSync(plan, 'utf8'), /secret/)
  world.write({ 'web1/a/x': 'two\n' })
  const shown = `plan <id>, saved <date> by Ada <ada@example.com>

prod from the working tree (main <oid>)

db1, web1 (2 new hosts)
    add a
        + x
`
  await world.run('apply', '-n', plan).stdout(shown)
  await world
    .run('apply', '--yes', plan)
    .stdout(`${shown}\ndeployed to 2 hosts in 'prod' in <time> (<id>)\n`)
    .stderr(anything)
  assert.equal(world.host('web1').read(DEPLOYED), 'one\n')
  const { id } = JSON.parse(readFileSync(plan, 'utf8'))
  assert.match(await world.git('log', '-1', '--format=%B', 'refs/deptool/web1'), new RegExp(id))
  await world
    .run('apply', '--yes', plan)
    .exits(1)
    .stderr(
      /^error: db1: the plan was applied to the host .* ago\nerror: web1: .*\nfatal: cannot apply plan <id>: /,
    )
})

test('the command that is told is one to type, whatever the file is called', async t => {
  const world = await makeWorld(t, TREE)
  await world
    .run('plan', 'prod', '-o', "it's mine")
    .stdout(anything)
    .stderr("saved in 'it's mine'; to deploy it: git deploy apply 'it'\\''s mine'\n")
})

test('nothing is done without an answer', async t => {
  const world = await makeWorld(t, TREE)
  const plan = await save(world, 'prod')
  await world
    .run('apply', plan)
    .exits(1)
    .stdout(/add a/)
    .stderr(/^fatal: cannot ask for confirmation: not a terminal/)
  await world
    .runInTerminal(['apply', plan], [[/\[y\/N\/d\] $/, 'n\n']])
    .exits(3)
    .stdout(/not deployed/)
  assert.equal(world.host('web1').exists('/var/lib/deptool'), false)
  await world.runInTerminal(['apply', plan], [[/\[y\/N\/d\] $/, 'y\n']]).stdout(/deployed to 2 hosts/)
})

test('from stdout to stdin, with the words on stderr', async t => {
  const world = await makeWorld(t, TREE)
  const pipe = 'git deploy plan -o - prod --limit web1 | git deploy apply --yes -'
  const { stdout, stderr, code } = await world.execute(['sh', '-c', pipe])
  assert.equal(code, 0, stderr)
  assert.match(stderr, /^prod from the working tree/m)
  assert.match(stdout, /^plan .*\n(.|\n)*deployed to 1 host in 'prod'/)
  assert.equal(world.host('db1').exists('/var/lib/deptool'), false)
})

test('another clone at the same revision applies it, and the first is then told by the host', async t => {
  const world = await makeWorld(t, TREE)
  const bob = await world.colleague('Bob')
  const plan = await save(world, 'prod', 'main')
  await bob
    .run('apply', '--yes', plan)
    .stdout(/^prod from main \(<oid>\)$/m)
    .stderr(anything)
  assert.equal(world.host('web1').read(DEPLOYED), 'one\n')
  await world
    .run('apply', '--yes', plan)
    .exits(1)
    .stdout(anything)
    .stderr(
      /^(?:db1, web1|web1, db1): refused: this plan has already been applied to the host: it succeeded\nhint: a saved plan can be applied only once; run 'git deploy plan -o <file>' to save a new one$/m,
    )
})

test('a clone without the commit, the files or the refs says which it lacks', async t => {
  const world = await makeWorld(t, TREE)
  const bob = await world.colleague('Bob')
  world.write({ 'web1/a/x': 'two\n' })
  await bob
    .run('apply', '--yes', await save(world, 'prod'))
    .exits(1)
    .stderr(`fatal: cannot apply the plan: its tree <oid> is not in this repository
hint: the plan contains uncommitted changes, so it can be applied only in the repository that saved it; commit them and save a new plan
`)
  await world.commit()
  await bob
    .run('apply', '--yes', await save(world, 'prod'))
    .exits(1)
    .stderr(`fatal: cannot apply the plan: its commit <oid> is not in this repository
hint: run 'git fetch' to fetch what others have pushed
`)
  await world.deploy()
  world.write({ 'web1/a/x': 'three\n' })
  await world.commit()
  const plan = await save(world, 'prod')
  await bob.git('fetch', '--quiet', 'origin', 'main')
  await bob
    .run('apply', '--yes', plan)
    .exits(1)
    .stderr(`error: web1: the plan starts from commit <oid>, but this repository has not recorded a deployment to the host
fatal: cannot apply plan <id>: it is not what git-deploy would deploy now
hint: run 'git deploy sync prod' or 'git fetch <remote> "+refs/deptool/*:refs/deptool/*"' to fetch what others have deployed
`)
  await bob.git('fetch', '--quiet', 'origin', 'refs/deptool/*:refs/deptool/*')
  await bob
    .run('apply', '--yes', plan)
    .stdout(/deployed to 1 host/)
    .stderr(anything)
  assert.equal(world.host('web1').read(DEPLOYED), 'three\n')
})

test('a plan that somebody else wrote drives no terminal', async t => {
  const world = await makeWorld(t, TREE)
  const plan = await save(world, 'prod', 'main')
  const content = readFileSync(plan, 'utf8')
  const evil = '\\u001b]0;title\\u0007\\u001b[31m'
  const applied = async (text: string) => {
    writeFileSync(plan, text)
    const { stdout, stderr } = await world.execute(['git', 'deploy', 'apply', '-n', plan])
    assert.doesNotMatch(stdout + stderr, /[\x00-\x09\x0b-\x1f]/)
    return stdout + stderr
  }
  assert.match(
    await applied(content.replace('"main"', `"${evil}main"`)),
    /^prod from \\033\]0;title\\a\\033\[31mmain /m,
  )
  assert.match(await applied(content.replace('"by": "', `"by": "${evil}`)), / by Ada /)
  for (const broken of [
    '\x1b[31m{',
    content.replace('plan/1', `plan/1${evil}`),
    content.replace('"prod"', `"a${evil}/prod"`),
  ])
    assert.match(await applied(broken), /^fatal: cannot read the plan /)
})

test('uncommitted files are applied where they were saved, as they were then', async t => {
  const world = await makeWorld(t, TREE)
  world.write({ 'web1/a/x': 'two\n' })
  const plan = await save(world, 'prod', '--limit', 'web1')
  world.write({ 'web1/a/x': 'three\n' })
  await world
    .run('apply', '--yes', plan)
    .stdout(/with uncommitted changes/)
    .stderr(anything)
  assert.equal(world.host('web1').read(DEPLOYED), 'two\n')
})

test('whatever differs is refused before any host is asked, with both sides named', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  world.write({ 'web1/a/x': 'two\n', 'db1/a/x': 'secret two\n' })
  await world.commit()
  const plan = await save(world, 'prod')
  const { toTree, digest } = JSON.parse(readFileSync(plan, 'utf8')).hosts[1]
  const refused = (path: string, stderr: RegExp) => world.run('apply', '--yes', path).exits(1).stderr(stderr)
  const tail =
    "\nfatal: cannot apply plan <id>: it is not what git-deploy would deploy now\nhint: run 'git deploy plan -o <file> prod' to save a new plan\n$"

  await refused(
    edit(plan, text => text.replace(toTree, 'f'.repeat(40))),
    new RegExp(
      `^error: web1: the plan deploys tree <oid>, but its commit contains tree <oid> for the host${tail}`,
    ),
  )
  await refused(
    edit(plan, text => text.replace(digest, 'f'.repeat(64)).replace(/"version": ".*"/, '"version": "9.9"')),
    /^error: web1: the plan's digest is <oid>, but git-deploy now computes <oid> for the same change; the plan was saved by version 9.9, this is version \d/,
  )
  await refused(
    edit(plan, text => text.replace('"host": "web1"', '"host": "web9"')),
    /^error: web9: the plan starts from commit <oid>, but this repository has not recorded a deployment to the host\n/,
  )
  await refused(
    edit(plan, text => text.replace('git-deploy-plan/1', 'git-deploy-plan/2')),
    /^fatal: cannot read the plan '<dir>.*': its format is 'git-deploy-plan\/2', but this version of git-deploy reads /,
  )
  await refused(
    file(world, 'none.json'),
    /^fatal: cannot read the plan '<dir>.*': no such file or directory\n/,
  )
  assert.equal(world.host('web1').read(DEPLOYED), 'one\n')

  await world.deploy('--limit', 'web1')
  await refused(
    plan,
    new RegExp(
      `^error: web1: the plan starts from commit <oid>, but the host is now at <oid>, deployed .* ago by Ada${tail}`,
    ),
  )
  assert.equal(world.host('db1').read(DEPLOYED), 'secret one\n', 'nothing is applied in part')
})

test('where no host was changed, the plan is as good as before', async t => {
  const world = await makeWorld(t, TREE)
  const plan = await save(world, 'prod')
  await world.git('config', 'deptool-host.db1.url', 'local:/nonexistent/place')
  await world
    .run('apply', '--yes', plan)
    .exits(1)
    .stdout(anything)
    .stderr(/no host was changed/)
  await world.git('config', '--unset', 'deptool-host.db1.url')
  await world
    .run('apply', '--yes', plan)
    .stdout(/deployed to 2 hosts/)
    .stderr(anything)
})

test('a plan for some hosts says nothing of the others, and one with --prune lets hosts leave', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  world.remove('db1')
  world.write({ 'web1/a/x': 'two\n' })
  await world.commit()
  await world
    .run('apply', '--yes', await save(world, 'prod', '--limit', 'web1'))
    .stdout(/^web1\n {4}update a\n {8}~ x\n\ndeployed to 1 host/m)
    .stderr(anything)
  await world
    .run('apply', '--yes', await save(world, 'prod', '--prune', '--limit', 'db1'))
    .stdout(/remove a/)
    .stderr(anything)
  assert.equal(world.host('db1').exists(DEPLOYED), false)
  assert.equal(await world.git('for-each-ref', '--format=%(refname)', 'refs/deptool/'), 'refs/deptool/web1')
})

test('a plan that only lets a host leave removes nothing that was deployed there since', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  world.remove('db1/a')
  world.write({ 'db1/.gitkeep': '' })
  await world.deploy()
  world.remove('db1')
  await world.commit()
  const plan = await save(world, 'prod', '--prune')
  world.write({ 'db1/a/x': 'back again\n' })
  await world.deploy()
  await world
    .run('apply', '--yes', plan)
    .exits(1)
    .stderr(
      /^error: db1: the plan only stops tracking the host, but now there are apps to remove\nfatal: cannot apply /,
    )
  assert.equal(world.host('db1').read(DEPLOYED), 'back again\n')
})

test('refusing a spent plan does not change what is known of how it ended', async t => {
  const world = await makeWorld(t, TREE)
  const plan = await save(world, 'prod')
  await world.run('apply', '--yes', plan).stdout(anything).stderr(anything)
  const log = await world.run('log').stdout(anything)
  for (const host of ['db1', 'web1']) await world.git('update-ref', '-d', `refs/deptool/${host}`)
  await world
    .run('apply', '--yes', plan)
    .exits(1)
    .stdout(anything)
    .stderr(/already been applied to the host/)
  assert.deepEqual(await world.run('log').stdout(anything), log)
})

test('an operator who is killed while a plan is applied has it on record that nobody knows how it ended', async t => {
  const world = await makeWorld(t, TREE)
  const plan = await save(world, 'prod', '--limit', 'web1')
  await world.git('config', 'deptool-host.web1.url', 'ssh://root@192.0.2.1')
  await world.git('config', 'deptool.transport', 'openssh')
  const script = (path: string, text: string) => writeFileSync(path, `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  script(join(world.home, 'bin/ssh'), `kill -9 $(cat ${file(world, 'pid')})`)
  // Where there is one, no host is called before the deployment begins.
  script(join(world.repo, '.git/hooks/pre-deploy'), 'exit 0')
  await world.execute(['sh', '-c', `echo $$ >"$HOME/pid"; exec git-deploy apply --yes '${plan}'`])
  await world
    .run('status', 'prod', '--limit', 'web1')
    .stdout('web1  never deployed  1 app to change, but the outcome of deployment <id> is unknown\n')
    .stderr("hint: run 'git deploy sync prod' to find out\n")
})

test('the last deployment is the one carried out last, also of a plan that was saved before others', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  world.write({ 'db1/a/x': 'secret two\n', 'web1/a/x': 'two\n' })
  const plan = await save(world, 'prod', '--limit', 'db1')
  await world.deploy('--limit', 'web1')
  const old = edit(plan, text => text.replace(/"id": "\d{8}T/, '"id": "20260101T'))
  // Which is the newest is told by the dates of commits, which are in seconds.
  const { code } = await world.execute(['sh', '-c', `sleep 1; git deploy apply --yes '${old}'`])
  assert.equal(code, 0)
  const bob = await world.colleague('Bob')
  await bob.run('sync', 'prod').stdout(anything)
  await bob.run('rollback', '--dry-run').stdout(/by Ada\n\ndb1\n {4}update a\n/)
})

test('a plan without changes is nothing to do', async t => {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  const plan = await save(world, 'prod')
  await world
    .run('apply', '--yes', plan)
    .stdout('plan <id>, saved <date> by Ada <ada@example.com>\n\nnothing to do\n')
})

test('a plan that was rolled back is spent: it was accepted once', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/a.service': '[Service]\nExecStart=/bin/false\n',
      'web1/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"]}}',
    },
    { hosts: 'real' },
  )
  const plan = await save(world, 'prod')
  await world
    .run('apply', '--yes', plan)
    .exits(4)
    .stdout(anything)
    .stderr(/rolled back on web1/)
  await world
    .run('apply', '--yes', plan)
    .exits(1)
    .stdout(anything)
    .stderr(
      /web1 {2}refused: this plan has already been applied to the host: it was rolled back\n +a.service exited with 1\n/,
    )
})
