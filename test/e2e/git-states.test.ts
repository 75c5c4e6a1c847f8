/** Trees that git is in the middle of changing, and what they mean for a plan. */
import assert from 'node:assert/strict'
import { chmodSync, statSync, writeFileSync } from 'node:fs'
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
    .stdout(header('<oid>, in the middle of a rebase of main, with\\s+uncommitted changes'))
  const { stdout } = await world.execute(['git', 'deploy', 'plan', 'prod', '--json'])
  assert.deepEqual(JSON.parse(stdout.split('\n')[0]!).source.during, { kind: 'rebase', of: 'main' })
  // Which is nothing that a plan is saved with.
  await world.run('plan', 'prod', '-o', 'saved').stdout(anything).stderr(anything)
  await world.run('apply', '--yes', 'saved').stdout(anything).stderr(anything)
  await world.git('rebase', '--abort')
  await world.run('plan', 'prod').stdout(header('main <oid>'))
})

/** As git-crypt and LFS do it, in a line of shell each. */
const FILTERS = {
  'git-crypt': {
    clean: "printf '\\0GITCRYPT\\0'; tr a-z n-za-m",
    smudge: 'tail -c +11 | tr a-z n-za-m',
    stored: Buffer.from('\0GITCRYPT\0frperg\n'),
  },
  lfs: {
    clean:
      'mkdir -p .git/lfs && cat >.git/lfs/new && oid=$(sha256sum .git/lfs/new | cut -c 1-64) && mv .git/lfs/new .git/lfs/$oid && printf "version https://git-lfs.github.com/spec/v1\\noid sha256:$oid\\nsize 7\\n"',
    smudge: 'cat .git/lfs/$(grep -o "sha256:.*" | cut -c 8-)',
    stored: Buffer.from(
      'version https://git-lfs.github.com/spec/v1\noid sha256:37f90e70a155a0bc9ec37d4ae0ba2d81e1e82a7f13b3d0c1a1ac3a0bb1ba4ee8\nsize 7\n',
    ),
  },
}

/** web1/a/key is in the repository in another form than on disk; `attributes` is where that is said. */
async function filteredWorld(t: TestContext, filter: keyof typeof FILTERS, attributes = '.gitattributes') {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n', 'web2/a/x': 'one\n' })
  for (const way of ['clean', 'smudge'] as const)
    await world.git('config', `filter.${filter}.${way}`, FILTERS[filter][way])
  writeFileSync(join(world.repo, attributes), `key filter=${filter}\n`)
  world.write({ 'web1/a/key': 'secret\n' })
  await world.commit('with a key')
  return world
}

for (const filter of ['git-crypt', 'lfs'] as const)
  test(`${filter}: from a revision nothing is deployed in its stored form, from disk what it stands for`, async t => {
    const world = await filteredWorld(t, filter)
    const refused = `error: HEAD:prod/web1/a/key: cannot be deployed from a revision: the filter '${filter}' has stored it in another form\n`
    for (const [args, command] of [
      [['plan', 'prod', 'HEAD'], 'git deploy plan prod'],
      [['prod', 'HEAD', '--yes'], 'git deploy prod'],
    ] as const)
      await world
        .run(...args)
        .exits(1)
        .stderr(
          `${refused}hint: deploy from the working tree, where Git has run the filter: '${command}'\nfatal: cannot plan 'prod': 1 problem in the config tree\n`,
        )
    await world
      .run('check', 'prod', 'HEAD')
      .exits(1)
      .stdout(new RegExp(`^${refused}`))
    // The next commit is not what would be deployed.
    await world.run('check', 'prod', '--staged').stdout(anything)
    await world.run('plan', 'prod', 'HEAD~1').stdout(anything)
    await world.run('plan', 'prod', 'HEAD', '--limit', 'web2').stdout(anything)
    await world.deploy()
    assert.equal(world.host('web1').read('/var/lib/deptool/apps/a/current/key'), 'secret\n')
  })

for (const where of ['prod/web1/.gitattributes', 'prod/web1/a/.gitattributes', '.git/info/attributes'])
  test(`a filter that ${where} names counts too, and in a saved plan`, async t => {
    const world = await filteredWorld(t, 'git-crypt', where)
    await world
      .run('plan', 'prod', 'HEAD')
      .exits(1)
      .stderr(/the filter 'git-crypt' has stored it/)
    await world.run('plan', 'prod', '-o', 'saved').stdout(anything).stderr(anything)
    await world.run('apply', '--yes', 'saved').stdout(anything).stderr(anything)
    assert.equal(world.host('web1').read('/var/lib/deptool/apps/a/current/key'), 'secret\n')
  })

test("a revision's own attributes count, and not those of the disk", async t => {
  const world = await filteredWorld(t, 'git-crypt')
  const before = await world.git('rev-parse', 'HEAD')
  await world.git('rm', '--quiet', '.gitattributes')
  await world.git('rm', '--quiet', '--cached', 'prod/web1/a/key')
  await world.commit('without a filter')
  await world
    .run('plan', 'prod', before)
    .exits(1)
    .stderr(/the filter 'git-crypt' has stored it/)
  await world.run('plan', 'prod', 'HEAD').stdout(anything)
  await world.run('prod', 'HEAD', '--yes').stdout(anything).stderr(anything)
  assert.equal(world.host('web1').read('/var/lib/deptool/apps/a/current/key'), 'secret\n')
})

for (const filter of ['git-crypt', 'lfs'] as const)
  test(`${filter}: a file that the filter has not been run for is not deployed from disk either`, async t => {
    const world = await filteredWorld(t, filter)
    world.write({ 'web1/a/key': FILTERS[filter].stored })
    for (let i = 0; i < 2; i++)
      await world
        .run('plan', 'prod')
        .exits(1)
        .stderr(
          `error: prod/web1/a/key: cannot be deployed: the filter '${filter}' has not run, so it is not what it stands for\nhint: run the filter, as in 'git lfs pull' or 'git-crypt unlock'\nfatal: cannot plan 'prod': 1 problem in the config tree\n`,
        )
    world.write({ 'web1/a/key': 'secret\n' })
    await world.run('plan', 'prod').stdout(anything)
  })

test('the hook after a commit plans the disk where a filter is used', async t => {
  const world = await filteredWorld(t, 'git-crypt')
  await world.git('config', 'deptool.cluster', 'prod')
  await world.run('hooks', 'install').stdout(anything)
  world.write({ 'web1/a/x': 'two\n' })
  await world.git('add', '--all')
  const { stderr } = await world.execute(['git', 'commit', '--quiet', '--message', 'x'])
  assert.match(stderr, /^prod: 2 of 2 hosts would change\n/)
})

test('where git ignores the modes on disk, its own are deployed', async t => {
  const world = await makeWorld(t, { 'web1/a/run': '#!/bin/sh\n', 'web1/a/x': 'one\n' })
  await world.git('update-index', '--chmod=+x', 'prod/web1/a/run')
  await world.git('commit', '--quiet', '--message', 'executable')
  await world.git('config', 'core.fileMode', 'false')
  const mode = (file: string) =>
    statSync(join(world.host('web1').directory, `var/lib/deptool/apps/a/current/${file}`)).mode & 0o777
  // As a file system without modes would have it.
  chmodSync(join(world.repo, 'prod/web1/a/x'), 0o755)
  assert.equal(await world.git('status', '--porcelain'), '')
  await world.run('plan', 'prod').stdout(/^prod from the working tree \(main <oid>\)\n/)
  world.write({ 'web1/a/new': 'not added\n' })
  chmodSync(join(world.repo, 'prod/web1/a/new'), 0o755)
  await world.deploy()
  assert.deepEqual([mode('run'), mode('x'), mode('new')], [0o755, 0o644, 0o644])
  await world.commit()
  await world.run('plan', 'prod', 'HEAD').stdout('prod is up to date (1 host)\n')
  // A mode that only git is told of is a change, and one that only the disk has is none.
  await world.git('update-index', '--chmod=+x', 'prod/web1/a/x')
  await world.run('plan', 'prod').stdout(/with uncommitted changes\)\n\nweb1\n {4}update a\n {8}~ x\n/)
  await world.git('config', 'core.fileMode', 'true')
  chmodSync(join(world.repo, 'prod/web1/a/run'), 0o644)
  await world.run('plan', 'prod').stdout(/with uncommitted changes\)/)
})
