import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { FLEET_REF, readRefs, readTracking, trackingRef, updateRefs } from '../../src/git/refs.ts'
import { must, type Oid, oid } from '../../src/plan/names.ts'
import { host, makeScratch, prod, type Scratch } from './scratch.ts'

const WEB1 = trackingRef(host('web1'))
const WEB2 = trackingRef(host('web2'))

function makeCommit(scratch: Scratch, message: string): Oid {
  const tree = scratch.git('mktree', '--missing')
  return must(oid, scratch.git('commit-tree', '-m', message, tree))
}

test('before the first deployment nothing is tracked', async t => {
  const repo = await makeScratch(t).open()
  assert.equal((await readTracking(repo)).size, 0)
  assert.deepEqual(await readRefs(repo), { hosts: new Map(), trees: new Map(), fleet: null })
})

for (const [kind, init] of [
  ['a repository', []],
  ['a bare repository', ['--bare']],
  ['a SHA-256 repository', ['--object-format=sha256']],
] as const)
  test(`refs are moved and read in ${kind}, with reflogs`, async t => {
    const scratch = makeScratch(t, { init })
    scratch.git('config', 'core.logAllRefUpdates', 'false')
    const repo = await scratch.open()
    const one = makeCommit(scratch, 'web1\n\nDeptool-Cluster: prod\nDeptool-Source: none+dirty')
    const two = makeCommit(scratch, 'says nothing')
    const all = [WEB1, WEB2, FLEET_REF]
    await updateRefs(
      repo,
      all.map(ref => ({ ref, to: one, from: null })),
      'deploy d1',
    )
    await updateRefs(repo, [{ ref: WEB2, to: two, from: one }], 'deploy d2')

    const tree = must(oid, scratch.git('rev-parse', `${one}^{tree}`))
    assert.deepEqual(
      [...(await readTracking(repo)).values()],
      [
        { host: 'web1', commit: one, tree, cluster: prod, source: 'none+dirty' },
        { host: 'web2', commit: two, tree, cluster: null, source: '' },
      ],
    )
    const hosts = new Map([
      ['web1', one],
      ['web2', two],
    ])
    const trees = new Map([
      ['web1', tree],
      ['web2', tree],
    ])
    assert.deepEqual(await readRefs(repo), { hosts, trees, fleet: { commit: one, tree } })
    assert.equal(scratch.git('reflog', '--format=%gs', WEB2), 'deploy d2\ndeploy d1')
    assert.equal(scratch.git('reflog', '--format=%gs', FLEET_REF), 'deploy d1')
  })

test('a ref that moved meanwhile is named, and no other moves', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  const [one, two] = [makeCommit(scratch, 'one'), makeCommit(scratch, 'two')]
  await updateRefs(repo, [{ ref: WEB1, to: one, from: null }], 'deploy')
  for (const from of [two, null])
    await assert.rejects(
      updateRefs(
        repo,
        [
          { ref: WEB2, to: one, from: null },
          { ref: WEB1, to: two, from },
        ],
        'deploy',
      ),
      {
        message: `cannot update '${WEB1}': it has moved since it was read`,
        hint: /run the same command again/,
      },
    )
  await assert.rejects(updateRefs(repo, [{ ref: WEB2, to: one, from: two }], 'deploy'), {
    message: `cannot update '${WEB2}': it has moved since it was read`,
  })
  await assert.rejects(updateRefs(repo, [{ ref: WEB1, to: null, from: two }], 'forget'), {
    message: `cannot update '${WEB1}': it has moved since it was read`,
  })
  assert.deepEqual([...(await readTracking(repo)).keys()], ['web1'])
})

test('a symbolic ref stands for itself, and not for the host that it names', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  const one = makeCommit(scratch, 'one')
  await updateRefs(repo, [{ ref: WEB1, to: one, from: null }], 'deploy')
  scratch.git('symbolic-ref', WEB2, WEB1)
  await updateRefs(repo, [{ ref: WEB2, to: null, from: one }], 'forget')
  assert.deepEqual([...(await readTracking(repo)).keys()], ['web1'])
})

test('a ref is deleted, and what is not there need not be', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  const one = makeCommit(scratch, 'one')
  await updateRefs(repo, [{ ref: WEB1, to: one, from: null }], 'deploy')
  await updateRefs(
    repo,
    [
      { ref: WEB1, to: null, from: one },
      { ref: WEB2, to: null, from: null },
    ],
    'forget',
  )
  assert.equal((await readTracking(repo)).size, 0)
})

test('all worktrees see the same refs', async t => {
  const scratch = makeScratch(t)
  scratch.commit('begin')
  scratch.git('worktree', 'add', '--quiet', '../other')
  const other = await scratch.open(`${scratch.dir}/../other`)
  await updateRefs(other, [{ ref: WEB1, to: makeCommit(scratch, 'one'), from: null }], 'deploy')
  assert.deepEqual([...(await readTracking(await scratch.open())).keys()], ['web1'])
})

test('a tracking ref that names no commit is refused, and deeper refs are not ours', async t => {
  const scratch = makeScratch(t)
  const tree = scratch.git('mktree', '--missing')
  scratch.git('update-ref', 'refs/deptool/a/b', makeCommit(scratch, 'one'))
  assert.equal((await readTracking(await scratch.open())).size, 0)
  scratch.git('update-ref', WEB1, tree)
  await assert.rejects(readTracking(await scratch.open()), {
    message: `cannot read '${WEB1}': it does not name a commit`,
  })
})

test('a ref that is broken, or leads nowhere, is not a host that nobody knows', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open()
  const file = join(scratch.dir, '.git', WEB1)
  mkdirSync(dirname(file), { recursive: true })
  for (const [text, message, hint] of [
    ['', 'it is broken, perhaps after a power cut', /^run 'rm .* --git-path refs\/deptool\/web1/],
    [
      '1'.repeat(40),
      'its commit is not in this repository',
      /^run 'git update-ref -d refs\/deptool\/web1', /,
    ],
  ] as const) {
    writeFileSync(file, text)
    for (const read of [readTracking, readRefs])
      await assert.rejects(read(repo), { message: `cannot read '${WEB1}': ${message}`, hint })
  }
})
