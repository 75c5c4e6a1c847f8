/** Trees that git is in the middle of changing, and what they mean for a plan. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { LocalHost } from '../support/local-host.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld, type World } from '../support/world.ts'

/** A branch 'topic' with one commit, and a main with another, that both change web1/a/x. */
async function divergedWorld(t: TestContext): Promise<World<LocalHost>> {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n', 'web1/a/y': 'y\n', 'web2/a/x': 'one\n' })
  await world.deploy()
  await world.git('checkout', '--quiet', '-b', 'topic')
  world.write({ 'web1/a/x': 'of topic\n' })
  await world.commit('topic')
  await world.git('checkout', '--quiet', 'main')
  world.write({ 'web1/a/x': 'of main\n' })
  await world.commit('main')
  return world
}

const UNMERGED = `error: prod/web1/a/x: cannot be deployed: it is unmerged
hint: resolve the conflict, then run 'git add' on the file; 'git status' lists all such files
`

const CONFLICTS: { readonly [what: string]: (world: World<LocalHost>) => Promise<unknown> } = {
  merge: world => conflict(world, 'merge', 'topic'),
  rebase: world => conflict(world, 'rebase', 'topic'),
  'cherry-pick': world => conflict(world, 'cherry-pick', 'topic'),
  revert: async world => {
    world.write({ 'web1/a/x': 'of main again\n' })
    await world.commit()
    await conflict(world, 'revert', '--no-edit', 'HEAD~1')
  },
  'stash pop': async world => {
    world.write({ 'web1/a/x': 'stashed\n' })
    await world.git('stash')
    world.write({ 'web1/a/x': 'of main again\n' })
    await world.commit()
    await conflict(world, 'stash', 'pop')
  },
}

async function conflict(world: World<LocalHost>, ...args: string[]): Promise<void> {
  const { code } = await world.execute(['git', '-c', 'core.editor=true', ...args])
  assert.notEqual(code, 0, 'expected a conflict')
}

for (const [what, begin] of Object.entries(CONFLICTS))
  test(`a ${what} with conflicts: no conflict markers are deployed`, async t => {
    const world = await divergedWorld(t)
    // Once before, so that what is remembered of the index is that of another one.
    await world.run('plan', 'prod').stdout(anything)
    await begin(world)
    for (const args of [
      ['plan', 'prod'],
      ['prod', '--yes'],
      ['status', 'prod'],
    ])
      await world
        .run(...args)
        .exits(1)
        .stderr(`${UNMERGED}fatal: cannot plan 'prod': 1 problem in the config tree\n`)
    await world
      .run('check', 'prod')
      .exits(1)
      .stdout(/^error: prod\/web1\/a\/x: cannot be deployed: it is unmerged\n/)
    // Another host, and a revision, have nothing to do with it.
    await world.run('plan', 'prod', '--limit', 'web2').stdout(anything)
    await world.run('plan', 'prod', 'main').stdout(anything)
    world.write({ 'web1/a/x': 'resolved\n' })
    await world.git('add', 'prod')
    await world.run('check', 'prod').stdout(anything)
    await world.run('plan', 'prod').stdout(/~ x/)
  })

test('a conflict that left one side on disk, as with binary files, is one too', async t => {
  const world = await divergedWorld(t)
  await world.git('checkout', '--quiet', 'topic')
  world.write({ 'web1/a/x': 'topic\0' })
  await world.commit()
  await world.git('checkout', '--quiet', 'main')
  world.write({ 'web1/a/x': 'main\0' })
  await world.commit()
  await conflict(world, 'merge', 'topic')
  await world
    .run('plan', 'prod')
    .exits(1)
    .stderr(new RegExp(`^${UNMERGED.split('\n')[0]}\n`))
})

test('unmerged files that are not deployed stop nothing', async t => {
  const world = await divergedWorld(t)
  const readme = join(world.repo, 'prod/README')
  for (const branch of ['topic', 'main']) {
    await world.git('checkout', '--quiet', branch)
    if (branch === 'topic') await world.git('reset', '--quiet', '--hard', 'HEAD~1')
    writeFileSync(readme, branch)
    await world.commit()
  }
  await conflict(world, 'merge', 'topic')
  await world.run('check', 'prod').stdout(anything)
})

test('the header says what git is in the middle of', async t => {
  const world = await divergedWorld(t)
  const header = (words: string) => new RegExp(`^prod from the working tree \\(${words}\\)\\n`)
  await world.git('bisect', 'start')
  await world.run('plan', 'prod').stdout(header('main <oid>, in the middle of a bisect'))
  await world.git('bisect', 'reset')
  await conflict(world, 'rebase', 'topic')
  world.write({ 'web1/a/x': 'resolved\n' })
  await world.git('add', 'prod')
  await world
    .run('plan', 'prod')
    .stdout(header('<oid>, in the middle of a rebase of main, with uncommitted changes'))
  const { stdout } = await world.execute(['git', 'deploy', 'plan', 'prod', '--json'])
  assert.deepEqual(JSON.parse(stdout.split('\n')[0]!).source.during, { kind: 'rebase', of: 'main' })
  // Which is nothing that a plan is saved with.
  await world.run('plan', 'prod', '-o', 'saved').stdout(anything).stderr(anything)
  await world.run('apply', '--yes', 'saved').stdout(anything).stderr(anything)
  await world.git('rebase', '--abort')
  await world.run('plan', 'prod').stdout(header('main <oid>'))
})
