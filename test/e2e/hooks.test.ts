/** `git deploy hooks`, and what the post-commit hook shows. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Ran } from '../support/execute.ts'
import { makeWorld } from '../support/world.ts'

const OURS = fileURLToPath(new URL('../../hooks/post-commit', import.meta.url))
const TREE = { 'web1/www/index.html': 'one\n', 'dns1/nsd/nsd.conf': 'one\n' }

const INSTALLED = `hooks in '.git/hooks':
    post-commit  installed
    pre-deploy   none; for an example, see 'pre-deploy.sample'
    post-deploy  none; for an example, see 'post-deploy.sample'
`
const REMOVED = `hooks in '.git/hooks':
    post-commit  not installed
    pre-deploy   none
    post-deploy  none
`

/** A repository without git's own samples, whose cluster is known. */
async function makeRepository(t: TestContext, tree = TREE) {
  const world = await makeWorld(t, tree)
  const hooks = join(world.repo, '.git/hooks')
  rmSync(hooks, { recursive: true })
  await world.git('config', 'deptool.cluster', 'prod')
  const put = (name: string, text: string, mode = 0o755) => {
    mkdirSync(hooks, { recursive: true })
    writeFileSync(join(hooks, name), text)
    chmodSync(join(hooks, name), mode)
  }
  const ran = async (...argv: string[]): Promise<Ran> => {
    const { stdout, stderr, code } = await world.execute(argv)
    return { stdout: world.normalise(stdout), stderr: world.normalise(stderr), code }
  }
  const commit = (...args: string[]) =>
    ran('git', 'commit', '--quiet', '--all', '--message', 'change', ...args)
  return { world, hooks, put, ran, commit }
}

const silent = { stdout: '', stderr: '', code: 0 }

test('install and uninstall leave nothing behind, and doing either twice changes nothing', async t => {
  const { world, hooks } = await makeRepository(t)
  await world.run('hooks', 'list').stdout(REMOVED)
  await world.run('hooks', 'install').stdout(INSTALLED)
  assert.deepEqual(readdirSync(hooks).sort(), ['post-commit', 'post-deploy.sample', 'pre-deploy.sample'])
  for (const name of readdirSync(hooks)) assert.equal(statSync(join(hooks, name)).mode & 0o777, 0o755, name)
  await world.run('hooks', 'install').stdout(INSTALLED)
  await world.run('hooks', 'list').stdout(INSTALLED)
  await world.run('hooks', 'uninstall').stdout(REMOVED)
  assert.deepEqual(readdirSync(hooks), [])
  await world.run('hooks', 'uninstall').stdout(REMOVED)
})

test('a hook that is there is called first, and is back after uninstall, link or file', async t => {
  const { world, hooks, put, commit } = await makeRepository(t)
  put('mine', '#!/bin/sh\necho "mine: $#" >&2\nexit 3\n')
  symlinkSync('mine', join(hooks, 'post-commit'))
  await world
    .run('hooks', 'install')
    .stdout(/^ {4}post-commit {2}installed, calls post-commit\.chained first$/m)
  await world.run('hooks', 'install').stdout(/calls post-commit\.chained first/)
  world.write({ 'web1/www/index.html': 'two\n' })
  const { stderr, code } = await commit()
  assert.match(stderr, /^mine: 0\nprod: 2 of 2 hosts would change\n/)
  assert.equal(code, 0)
  await world.run('hooks', 'uninstall').stdout(/not installed; another hook is there/)
  assert.equal(readFileSync(join(hooks, 'post-commit'), 'utf8'), readFileSync(join(hooks, 'mine'), 'utf8'))
  assert.equal(existsSync(join(hooks, 'post-commit.chained')), false)
})

test('nothing of anybody else is overwritten', async t => {
  const { world, hooks, put } = await makeRepository(t)
  put('post-commit', '#!/bin/sh\n# mine\n')
  put('post-commit.chained', '#!/bin/sh\n# mine too\n')
  put('pre-deploy.sample', 'mine as well\n')
  await world
    .run('hooks', 'install')
    .exits(1)
    .stderr(
      `fatal: cannot keep '<dir>/ada/repo/.git/hooks/post-commit' as '<dir>/ada/repo/.git/hooks/post-commit.chained': this file already exists
hint: remove one of the two: git-deploy calls only one other hook
`,
    )
  await world.run('hooks', 'uninstall').stdout(/not installed; another hook is there/)
  rmSync(join(hooks, 'post-commit.chained'))
  await world.run('hooks', 'install').stdout(/calls post-commit\.chained first/)
  assert.equal(readFileSync(join(hooks, 'pre-deploy.sample'), 'utf8'), 'mine as well\n')
})

test('a link to the hook in the package is ours, and what was chained is back even where ours is gone', async t => {
  const { world, hooks, put } = await makeRepository(t)
  mkdirSync(hooks)
  symlinkSync(OURS, join(hooks, 'post-commit'))
  await world.run('hooks', 'list').stdout(/^ {4}post-commit {2}installed$/m)
  await world.run('hooks', 'install').stdout(INSTALLED)
  rmSync(join(hooks, 'post-commit'))
  put('post-commit.chained', '#!/bin/sh\n# mine\n')
  await world.run('hooks', 'uninstall').stdout(/not installed; another hook is there/)
  assert.deepEqual(readdirSync(hooks), ['post-commit'])
  assert.ok(existsSync(OURS))
})

test('a hook of an older version of ours is replaced, not chained', async t => {
  const { world, hooks, put } = await makeRepository(t)
  put('post-commit', '#!/bin/sh\n# git-deploy: an older one\n')
  await world.run('hooks', 'list').stdout(/post-commit {2}installed from another version/)
  await world.run('hooks', 'install').stdout(INSTALLED)
  assert.equal(readFileSync(join(hooks, 'post-commit'), 'utf8'), readFileSync(OURS, 'utf8'))
})

test('core.hooksPath and linked worktrees are respected, and bare repositories have hooks too', async t => {
  const { world, hooks } = await makeRepository(t)
  await world.git('worktree', 'add', '--quiet', '../linked')
  const linked = await world.execute(['git', '-C', '../linked', 'deploy', 'hooks', 'install'])
  assert.match(linked.stdout, /^hooks in '\.\.\/repo\/\.git\/hooks':\n {4}post-commit {2}installed\n/)
  assert.ok(existsSync(join(hooks, 'post-commit')))

  await world.git('config', 'core.hooksPath', '.git hooks')
  mkdirSync(join(world.repo, 'prod/web1'), { recursive: true })
  const moved = await world.execute(['git', '-C', 'prod/web1', 'deploy', 'hooks', 'install'])
  assert.match(moved.stdout, /^hooks in '\.\.\/\.\.\/\.git hooks':\n/)
  assert.ok(existsSync(join(world.repo, '.git hooks/post-commit')))

  await world.git('clone', '--quiet', '--bare', '.', '../bare.git')
  const bare = await world.execute(['git', '-C', '../bare.git', 'deploy', 'hooks', 'install'])
  assert.equal(bare.code, 0)
  assert.ok(existsSync(join(world.repo, '../bare.git/hooks/post-commit')))

  await world.git('config', 'core.hooksPath', '/dev/null')
  await world
    .run('hooks', 'install')
    .exits(1)
    .stderr(/^fatal: cannot install the hooks in '\/dev\/null': file already exists\n/)
})

test('install says so where no cluster is known, and the words are checked', async t => {
  const { world } = await makeRepository(t)
  await world.git('config', '--unset', 'deptool.cluster')
  await world
    .run('hooks', 'install')
    .stdout(INSTALLED)
    .stderr(
      "hint: this repository has no cluster yet, so the hook shows nothing; run 'git deploy init <cluster>' to choose one\n",
    )
  await world
    .run('hooks', 'instal')
    .exits(129)
    .stderr(
      /^error: unknown argument 'instal', expected install, uninstall or list\nhint: did you mean 'install'\?\n/,
    )
  await world
    .run('hooks')
    .exits(129)
    .stderr(/^error: missing argument: install, uninstall or list\n/)
})

test('a commit that touches a cluster shows a line for each host, and the command', async t => {
  const { world, commit, ran } = await makeRepository(t)
  await world.deploy()
  await world.run('hooks', 'install').stdout(INSTALLED)
  world.write({
    'web1/www/index.html': 'two\n',
    'web1/cron/crontab': 'daily\n',
    'mail1/exim/exim.conf': '\n',
  })
  await world.git('add', '--all')
  assert.deepEqual(await commit(), {
    ...silent,
    stderr: `prod: 2 of 3 hosts would change
    mail1  add exim (new host)
    web1   add cron, update www
to deploy: git deploy prod
`,
  })
  // What is not part of the commit is not part of its plan.
  world.write({ 'dns1/nsd/nsd.conf': 'two\n', 'web1/www/index.html': 'three\n' })
  assert.match((await ran('git', 'commit', '-qm', 'dns', 'prod/dns1')).stderr, /^prod: 3 of 3 hosts/)
  await world.run('plan', '--short', 'prod', 'HEAD').stdout(`prod: 3 of 3 hosts would change
    dns1   update nsd
    mail1  add exim (new host)
    web1   add cron, update www
`)
})

test('a commit elsewhere is silent, and so is a repository that deploys nothing', async t => {
  const { world, commit, ran } = await makeRepository(t)
  await world.run('hooks', 'install').stdout(INSTALLED)
  writeFileSync(join(world.repo, 'README'), 'one\n')
  world.write({ '../production/web1/www/x': 'not of the cluster\n' })
  await world.git('add', '--all')
  assert.deepEqual(await commit(), silent)
  assert.deepEqual(await ran('git', 'commit', '-q', '--allow-empty', '-m', 'empty'), silent)
  await world.git('config', '--unset', 'deptool.cluster')
  world.write({ 'web1/www/index.html': 'two\n' })
  assert.deepEqual(await commit(), silent)
})

test('what was deployed before it was committed is up to date', async t => {
  const { world, commit } = await makeRepository(t)
  world.write({ 'web1/www/index.html': 'two\n' })
  await world.deploy()
  await world.run('hooks', 'install').stdout(INSTALLED)
  assert.deepEqual(await commit(), { ...silent, stderr: 'prod is up to date (2 hosts)\n' })
})

test('rebase, cherry-pick and merge are silent; the commits that a person makes are not', async t => {
  const { world, ran } = await makeRepository(t)
  await world.git('checkout', '--quiet', '-b', 'side')
  for (const text of ['two', 'three']) {
    world.write({ 'web1/www/index.html': `${text}\n` })
    await world.commit(text)
  }
  await world.git('checkout', '--quiet', 'main')
  world.write({ 'dns1/nsd/nsd.conf': 'two\n' })
  await world.commit('dns')
  await world.run('hooks', 'install').stdout(INSTALLED)

  const quiet = async (...args: string[]) => {
    const { stdout, stderr, code } = await ran('git', ...args)
    assert.doesNotMatch(stdout + stderr, /would change|to deploy/, args.join(' '))
    assert.equal(code, 0, stderr)
  }
  await quiet('cherry-pick', 'side~', 'side')
  await quiet('cherry-pick', '--allow-empty', '--keep-redundant-commits', 'side')
  await world.git('reset', '--quiet', '--hard', 'HEAD~3')
  await quiet('merge', '--no-edit', 'side')
  await world.git('reset', '--quiet', '--hard', 'HEAD~')
  await quiet(
    '-c',
    'sequence.editor=true',
    'rebase',
    '--quiet',
    '--force-rebase',
    '--interactive',
    'HEAD~',
    'side',
  )
  await quiet('rebase', '--quiet', '--exec', 'git commit --allow-empty -qm inside', 'main')
  await world.git('checkout', '--quiet', 'side')
  // What scripts set that make several commits for one command of theirs.
  world.write({ 'dns1/nsd/nsd.conf': 'three\n' })
  assert.deepEqual(
    await ran('env', 'GIT_REFLOG_ACTION=rebase (pick)', 'git', 'commit', '-qam', 'scripted'),
    silent,
  )

  const revert = await ran('git', 'revert', '--no-edit', 'HEAD')
  assert.match(revert.stderr, /^prod: 2 of 2 hosts would change$/m)
  assert.match((await ran('git', 'commit', '-q', '--amend', '--no-edit')).stderr, /would change/)
})

test('the conclusion of a merge with conflicts is a commit that a person makes', async t => {
  const { world, ran } = await makeRepository(t)
  await world.git('checkout', '--quiet', '-b', 'side')
  world.write({ 'web1/www/index.html': 'side\n' })
  await world.commit()
  await world.git('checkout', '--quiet', 'main')
  world.write({ 'web1/www/index.html': 'main\n' })
  await world.commit()
  await world.run('hooks', 'install').stdout(INSTALLED)
  assert.equal((await ran('git', 'merge', 'side')).code, 1)
  world.write({ 'web1/www/index.html': 'both\n' })
  const merged = await ran('git', 'commit', '-qam', 'merge')
  assert.match(merged.stderr, /^prod: 2 of 2 hosts would change\n/)
})

test('a tree that cannot be deployed is told, and the commit is made', async t => {
  const { world, commit } = await makeRepository(t)
  await world.run('hooks', 'install').stdout(INSTALLED)
  world.write({ 'web1/www/manifest.json': '{ "unit": [] }\n' })
  await world.git('add', '--all')
  const { stderr, code } = await commit()
  assert.equal(code, 0)
  assert.match(stderr, /^error: HEAD:prod\/web1\/www\/manifest\.json:1:3: unknown key 'unit'\n/)
  assert.equal(await world.git('log', '-1', '--format=%s'), 'change')
})

test('without node, or without git-deploy, a commit is as silent as without the hook', async t => {
  const { world } = await makeRepository(t)
  await world.run('hooks', 'install').stdout(INSTALLED)
  const programs = join(world.home, 'few')
  mkdirSync(programs)
  const commit = (text: string) => {
    world.write({ 'web1/www/index.html': text })
    const argv = ['/usr/bin/env', `PATH=${programs}`, 'git', 'commit', '-qam', text]
    return world.execute(argv)
  }
  for (const name of ['git', 'sh', 'env']) symlinkSync(`/usr/bin/${name}`, join(programs, name))
  assert.deepEqual(await commit('two\n'), silent)
  symlinkSync(fileURLToPath(new URL('../../bin/git-deploy', import.meta.url)), join(programs, 'git-deploy'))
  assert.deepEqual(await commit('three\n'), silent)
  symlinkSync(process.execPath, join(programs, 'node'))
  assert.match((await commit('four\n')).stderr, /^prod: 2 of 2 hosts would change\n/)
})

test('in a linked worktree, and a partial commit with an index of its own', async t => {
  const { world, ran } = await makeRepository(t)
  await world.run('hooks', 'install').stdout(INSTALLED)
  await world.git('worktree', 'add', '--quiet', '../linked')
  world.write({ '../../linked/prod/web1/www/index.html': 'linked\n' })
  world.write({ '../../linked/prod/dns1/nsd/nsd.conf': 'not committed\n' })
  await world.git('config', 'deptool.cluster', 'prod')
  await world.deploy('HEAD')
  const { stderr, code } = await ran('git', '-C', '../linked/prod', 'commit', '-qm', 'linked', 'web1')
  assert.equal(stderr, 'prod: 1 of 2 hosts would change\n    web1  update www\nto deploy: git deploy prod\n')
  assert.equal(code, 0)
})

test('a cluster below a directory, with a name that a shell would split', async t => {
  const { world, ran } = await makeRepository(t)
  await world.git('config', 'deptool.cluster', 'größe und maß/pro d/')
  await world.run('hooks', 'install').stdout(INSTALLED)
  world.write({ '../größe und maß/pro d/web1/www/index.html': 'two\n' })
  await world.git('add', '--all')
  const { stderr } = await ran('git', 'commit', '-qm', 'deep')
  assert.equal(
    stderr,
    "pro d: 1 of 1 host would change\n    web1  add www (new host)\nto deploy: git deploy 'größe und maß/pro d'\n",
  )
})
