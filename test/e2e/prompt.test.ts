/** The question, at a terminal and without one. Embedded hosts: what is asked does not depend on them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'

const TREE = { 'web1/a/x': 'one\n' }
const QUESTION = "Deploy to 1 host in 'prod'? A host that fails rolls back by itself. [y/N/d] "

test('y deploys', async t => {
  const world = await makeWorld(t, TREE)
  await world.runInTerminal(['prod'], [[QUESTION, 'y\n']]).stdout(/deployed to 1 host in 'prod'/)
  assert.equal(world.host('web1').read('/var/lib/deptool/apps/a/current/x'), 'one\n')
})

for (const [what, answer] of [
  ['n', 'n\n'],
  ['an empty line', '\n'],
  ['the end of input', '\x04'],
] as const)
  test(`${what} deploys nothing, and says so by its exit code`, async t => {
    const world = await makeWorld(t, TREE)
    await world
      .runInTerminal(['prod'], [[QUESTION, answer]])
      .exits(3)
      .stdout(/not deployed/)
    assert.equal(world.host('web1').exists('/var/lib/deptool'), false)
  })

test('d shows the whole diff, then asks again', async t => {
  const world = await makeWorld(t, TREE)
  const dialog = [
    [QUESTION, 'd\n'],
    [QUESTION, 'y\n'],
  ] as const
  await world.git('config', 'core.pager', 'cat')
  await world
    .runInTerminal(['prod'], dialog)
    .stdout(/\+\+\+ b\/web1\/a\/x(.|\n)*one(.|\n)*\[y\/N\/d\] y(.|\n)*deployed to 1 host/)
})

test('without a terminal nothing is assumed', async t => {
  const world = await makeWorld(t, TREE)
  await world
    .run('prod')
    .exits(1)
    .stdout(anything)
    .stderr(`fatal: cannot ask for confirmation: not a terminal
hint: use --yes to deploy without being asked, or --dry-run to see the plan
`)
  assert.equal(world.host('web1').exists('/var/lib/deptool'), false)
})

test('--dry-run shows the plan, and that is all', async t => {
  const world = await makeWorld(t, TREE)
  await world.run('prod', '--dry-run').stdout(/add a/)
  await world.run('prod', '--plan-only').stdout(/add a/)
  assert.equal(world.host('web1').exists('/var/lib/deptool'), false)
})
