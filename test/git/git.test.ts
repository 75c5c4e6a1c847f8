import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { GitError, git, gitTTY } from '../../src/git/git.ts'
import { makeScratch } from './scratch.ts'

test('a repository is found from one of its subdirectories, with spaces and UTF-8 in the path', async t => {
  const scratch = makeScratch(t, { name: 'größe und maß' })
  mkdirSync(join(scratch.dir, 'prod/web 1'), { recursive: true })
  const repo = await scratch.open(join(scratch.dir, 'prod/web 1'))
  assert.equal(repo.topLevel, scratch.dir)
  assert.equal(repo.gitDir, join(scratch.dir, '.git'))
  assert.equal(repo.commonDir, join(scratch.dir, '.git'))
  assert.equal(repo.prefix, 'prod/web 1/')
  assert.equal(repo.format, 'sha1')
})

test('a bare repository has no working tree', async t => {
  const scratch = makeScratch(t, { init: ['--bare'] })
  const repo = await scratch.open()
  assert.equal(repo.topLevel, null)
  assert.equal(repo.gitDir, scratch.dir)
  assert.equal(repo.prefix, '')
})

test('a linked worktree has a git directory of its own', async t => {
  const scratch = makeScratch(t)
  scratch.commit('begin')
  const other = join(scratch.dir, '../other')
  scratch.git('worktree', 'add', '--quiet', other)
  const repo = await scratch.open(other)
  assert.equal(repo.topLevel, other)
  assert.equal(repo.gitDir, join(scratch.dir, '.git/worktrees/other'))
  assert.equal(repo.commonDir, join(scratch.dir, '.git'))
})

test('a SHA-256 repository is known as such', async t => {
  const repo = await makeScratch(t, { init: ['--object-format=sha256'] }).open()
  assert.equal(repo.format, 'sha256')
})

test('outside of a repository, git itself says so and we say where to go', async t => {
  const scratch = makeScratch(t)
  await assert.rejects(scratch.open(join(scratch.dir, '..')), {
    message: /^not a git repository/,
    hint: 'run the command inside the repository that contains the config tree',
  })
})

test('a path with a line break, or that is not UTF-8, is told as such', async t => {
  const { dir, git, open } = makeScratch(t)
  const broken = join(dir, 'two\nlines')
  git('init', '--quiet', broken)
  await assert.rejects(open(broken), {
    message: `cannot use the repository of '${broken}': its path contains a line break`,
  })
  // As Node shows 'caf\xe9'.
  const cwd = join(dir, 'caf\ufffd')
  await assert.rejects(open(cwd), {
    message: `cannot use the directory '${cwd}': its path is not UTF-8`,
  })
})

test('what a hook says that refuses to move refs is told', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  const hook = '#!/bin/sh\necho "no refs on Sundays" >&2\n[ "$1" != prepared ]\n'
  scratch.write({ '.git/hooks/reference-transaction': path => writeFileSync(path, hook, { mode: 0o755 }) })
  const tree = scratch.git('hash-object', '-w', '-t', 'tree', '/dev/null')
  await assert.rejects(
    git(repo, ['update-ref', '--stdin'], { input: `create refs/deptool/web1 ${tree}\n` }),
    {
      message: /aborted by hook: no refs on Sundays$/,
    },
  )
})

test("a repository of somebody else is refused with git's own advice", async t => {
  const scratch = makeScratch(t)
  await assert.rejects(scratch.open(scratch.dir, { GIT_TEST_ASSUME_DIFFERENT_OWNER: '1' }), {
    message: /^detected dubious ownership/,
    hint: /git config --global --add safe\.directory/,
  })
})

test('a missing git is told as such', async t => {
  const scratch = makeScratch(t)
  await assert.rejects(scratch.open(scratch.dir, { PATH: '/nonexistent' }), {
    message: /^cannot run 'git'/,
    hint: /PATH/,
  })
})

test("a failed command carries git's reason, and an expected exit code is an answer", async t => {
  const repo = await makeScratch(t).open()
  await assert.rejects(git(repo, ['rev-parse', '--verify', 'nope']), (error: unknown) => {
    assert.ok(error instanceof GitError)
    assert.equal(error.code, 128)
    assert.equal(error.message, "cannot run 'git rev-parse': Needed a single revision")
    return true
  })
  const { code } = await git(repo, ['rev-parse', '--verify', '--quiet', 'nope'], { okCodes: [1] })
  assert.equal(code, 1)
})

test('a setting given by git -c reaches our commands', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open(scratch.dir, { GIT_CONFIG_PARAMETERS: "'deptool.cluster'='lab'" })
  assert.equal(`${(await git(repo, ['config', 'deptool.cluster'])).stdout}`, 'lab\n')
})

test('a command that stops reading its input fails by its exit code only', async t => {
  const repo = await makeScratch(t).open()
  const input = Buffer.alloc(4 << 20, 'x')
  await assert.rejects(git(repo, ['no-such-command'], { input }), GitError)
})

test('a command for the terminal resolves to its exit code', async t => {
  const repo = await makeScratch(t).open()
  assert.equal(await gitTTY(repo, ['rev-parse', '--quiet', '--verify', 'nope']), 1)
})
