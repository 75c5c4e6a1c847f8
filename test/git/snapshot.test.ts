import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { drive, LostObject, type ObjectReader } from '../../src/git/objects.ts'
import { type Snapshot, snapshotRevision, snapshotStaged, snapshotWorktree } from '../../src/git/snapshot.ts'
import { forgetIndex } from '../../src/git/stat-cache.ts'
import { readHosts } from '../../src/plan/host-state.ts'
import { needs } from '../support/needs.ts'
import { directory, executable, link, makeScratch, prod, readFiles, type Scratch } from './scratch.ts'

interface Taken extends Snapshot {
  readonly reader: ObjectReader
}

async function take(t: Scratch, path = 'prod', env: NodeJS.ProcessEnv = {}, cwd = t.dir): Promise<Taken> {
  const repo = await t.open(cwd, env)
  const reader = t.reader(repo)
  return { ...(await snapshotWorktree(repo, prod, join(t.dir, path), reader)), reader }
}

async function takeRevision(t: Scratch, rev: string, path = 'prod'): Promise<Taken> {
  const repo = await t.open()
  const reader = t.reader(repo)
  return { ...(await snapshotRevision(repo, rev, path, reader)), reader }
}

async function filesOf({ hosts, reader }: Taken): Promise<Record<string, Record<string, string>>> {
  const files = await Promise.all(hosts.map(({ tree }) => readFiles(reader, tree)))
  return Object.fromEntries(hosts.map(({ host }, i) => [host, files[i]!]))
}

const problemsOf = ({ problems }: Snapshot) => problems.map(({ file, what }) => `${file}: ${what}`)

test('the working tree is taken as it is on disk, ignored files included', async t => {
  const scratch = makeScratch(t)
  scratch.write({
    '.gitignore': '*.key\n/prod/web2/\n',
    'prod/web2/app/secret.key': 's3cret',
    'prod/web1/nginx/nginx.conf': 'server {}\n',
    'prod/web1/nginx/conf.d/.hidden': 'h',
    'prod/web1/nginx/run.sh': executable('#!/bin/sh\n'),
    'prod/web1/nginx/link': link('conf.d/.hidden'),
    'prod/web1/nginx/dangling': link('nowhere'),
    'prod/web1/nginx/systemd/dev-disk\\x2duuid.mount': 'unit',
    'prod/web1/nginx/größe 1.conf': 'ü',
    'prod/web1/nginx/empty/also': directory,
  })
  const snapshot = await take(scratch)
  assert.deepEqual(await filesOf(snapshot), {
    web1: {
      '100644 nginx/conf.d/.hidden': 'h',
      '100644 nginx/nginx.conf': 'server {}\n',
      '100644 nginx/größe 1.conf': Buffer.from('ü').toString('latin1'),
      '100644 nginx/systemd/dev-disk\\x2duuid.mount': 'unit',
      '100755 nginx/run.sh': '#!/bin/sh\n',
      '120000 nginx/dangling': 'nowhere',
      '120000 nginx/link': 'conf.d/.hidden',
    },
    web2: { '100644 app/secret.key': 's3cret' },
  })
  assert.deepEqual(snapshot.problems, [])
  assert.deepEqual(snapshot.source, { kind: 'worktree', commit: null, branch: 'main', dirty: true })
  scratch.git('fsck', '--strict')
})

test('no attribute and no setting of git changes a byte', async t => {
  const scratch = makeScratch(t)
  const content = '$Id$ a\r\nb\n'
  scratch.write({
    '.gitattributes': '*.conf eol=crlf ident filter=spoil\n*.txt working-tree-encoding=UTF-16 text\n',
    'prod/web1/app/.gitattributes': '* text=auto eol=lf\n',
    'prod/web1/app/a.conf': content,
    'prod/web1/app/b.txt': content,
    'prod/web1/app/c': content,
  })
  for (const [key, value] of [
    ['core.autocrlf', 'true'],
    ['core.safecrlf', 'true'],
    ['core.eol', 'crlf'],
    ['core.fileMode', 'false'],
    ['core.symlinks', 'false'],
    ['filter.spoil.clean', 'tr a-z A-Z'],
    ['filter.spoil.required', 'true'],
  ])
    scratch.git('config', key!, value!)
  scratch.write({ 'prod/web1/app/run': executable(''), 'prod/web1/app/link': link('c') })
  assert.deepEqual(await filesOf(await take(scratch)), {
    web1: {
      '100644 app/.gitattributes': '* text=auto eol=lf\n',
      '100644 app/a.conf': content,
      '100644 app/b.txt': content,
      '100644 app/c': content,
      '100755 app/run': '',
      '120000 app/link': 'c',
    },
  })
})

const LAYOUT = {
  'README.md': 'r',
  'prod/README.md': 'r',
  'prod/.shared/app/file': 's',
  'prod/web2/.gitkeep': '',
  'prod/web1/README.md': 'r',
  'prod/web1/.cache/file': 'c',
  'prod/web1/app/file': 'f',
  'prod/web1/app.d/file': 'f',
  'prod/web1/app0/file': 'f',
}

test('only files inside of apps count, on disk and in a commit', async t => {
  const scratch = makeScratch(t)
  scratch.write(LAYOUT)
  const commit = scratch.commit('begin')
  const expected = {
    web1: { '100644 app.d/file': 'f', '100644 app/file': 'f', '100644 app0/file': 'f' },
    web2: {},
  }
  const onDisk = await take(scratch)
  assert.deepEqual(await filesOf(onDisk), expected)
  assert.deepEqual(onDisk.source, { kind: 'worktree', commit, branch: 'main', dirty: false })
  const committed = await takeRevision(scratch, 'main')
  assert.deepEqual(await filesOf(committed), expected)
  assert.deepEqual(committed.source, { kind: 'revision', rev: 'main', commit })
  assert.deepEqual(committed.hosts, onDisk.hosts)
})

test('sockets and the like do not matter where nothing counts', async t => {
  const scratch = makeScratch(t)
  scratch.write({
    'prod/web1/app/file': 'f',
    'prod/pipe': pipe,
    'prod/web1/pipe': pipe,
    'prod/.x/app/pipe': pipe,
  })
  assert.deepEqual((await take(scratch)).problems, [])
})

test('a host without apps is a host, whether empty or with empty directories', async t => {
  const scratch = makeScratch(t)
  scratch.write({ 'prod/web1': directory, 'prod/web2/app/sub': directory })
  const snapshot = await take(scratch)
  assert.deepEqual(await filesOf(snapshot), { web1: {}, web2: {} })
  assert.deepEqual(snapshot.problems, [])
  scratch.git('cat-file', '-e', snapshot.hosts[0]!.tree)
})

test('what is not deployable is named, all of it, and the rest is taken', async t => {
  const scratch = makeScratch(t)
  scratch.write({
    'prod/web1/app/file': 'f',
    'prod/web1/app/pipe': pipe,
    'prod/web1/app/inner/.git/HEAD': 'x',
    'prod/web1/app/inner/file': 'x',
    'prod/web1/app/sub/.GIT': 'gitdir: x',
    'prod/web1/app/line\nfeed': 'x',
    'prod/web1/app/huge': path => {
      writeFileSync(path, '')
      truncateSync(path, 512 * 1024 * 1024 + 1)
    },
    'prod/web3/.git': 'gitdir: x',
    'prod/web3/app/file': 'x',
    'prod/web1/linked': link('app'),
    'prod/web2': link('web1'),
    'prod/-web3/app/file': 'x',
  })
  writeFileSync(Buffer.concat([Buffer.from(`${scratch.dir}/prod/web1/app/caf`), Buffer.of(0xe9)]), 'x')
  const snapshot = await take(scratch)
  const repository = "cannot be deployed: a directory that contains a '.git' is another repository"
  const misplaced = 'a host or an app cannot be a symbolic link'
  assert.deepEqual(problemsOf(snapshot), [
    "-web3: '-web3' is not a valid host name",
    'web1/app/caf\\xe9: cannot be deployed: its name is not UTF-8',
    'web1/app/huge: cannot be deployed: it is larger than 512 MiB',
    `web1/app/inner/.git: ${repository}`,
    'web1/app/line\nfeed: cannot be deployed: its name is not a safe file name',
    'web1/app/pipe: cannot be deployed: it is a named pipe',
    `web1/app/sub/.GIT: ${repository}`,
    `web1/linked: ${misplaced}`,
    `web2: ${misplaced}`,
    `web3/.git: ${repository}`,
  ])
  assert.deepEqual(await filesOf(snapshot), { web1: { '100644 app/file': 'f' }, web3: {} })
})

test('a name that holds U+FFFD of its own right is fine', async t => {
  const scratch = makeScratch(t)
  scratch.write({ 'prod/web1/app/\ufffd': 'x' })
  assert.deepEqual((await take(scratch)).problems, [])
})

test('what cannot be read is named', needs('no root'), async t => {
  const scratch = makeScratch(t)
  scratch.write({
    'prod/web1/app/file': 'f',
    'prod/web1/app/key': 'k',
    'prod/web1/listed/file': 'f',
    'prod/web1/locked/file': 'f',
  })
  const chmod = (mode: number, path: string) => chmodSync(join(scratch.dir, 'prod/web1', path), mode)
  chmod(0, 'app/key')
  chmod(0o444, 'listed')
  chmod(0, 'locked')
  await settle()
  const snapshots = [await take(scratch), await take(scratch)]
  chmod(0o755, 'listed')
  chmod(0o755, 'locked')
  for (const snapshot of snapshots) {
    assert.deepEqual(problemsOf(snapshot), [
      'web1/app/key: cannot be read: permission denied',
      'web1/listed/file: cannot be read: permission denied',
      'web1/locked: cannot be read: permission denied',
    ])
    assert.deepEqual(await filesOf(snapshot), { web1: { '100644 app/file': 'f' } })
  }
})

test('a file that can be read again is deployed again', needs('no root'), async t => {
  const scratch = makeScratch(t)
  scratch.write({ 'prod/web1/app/key': 'k' })
  const key = join(scratch.dir, 'prod/web1/app/key')
  chmodSync(key, 0)
  await settle()
  assert.deepEqual(problemsOf(await take(scratch)), ['web1/app/key: cannot be read: permission denied'])
  chmodSync(key, 0o644)
  assert.deepEqual(await filesOf(await take(scratch)), { web1: { '100644 app/key': 'k' } })
})

test('what cannot be deployed is told every time', async t => {
  const scratch = makeScratch(t)
  scratch.write({ 'prod/web1/app/file': 'f' })
  pipe(join(scratch.dir, 'prod/web1/app/pipe'))
  await settle()
  for (const time of ['first', 'second'])
    assert.deepEqual(
      problemsOf(await take(scratch)),
      ['web1/app/pipe: cannot be deployed: it is a named pipe'],
      time,
    )
})

test('links where hosts and apps belong, submodules and bad names are named in a commit as well', async t => {
  const scratch = makeScratch(t)
  scratch.write({ 'prod/web1/app/file': 'f', 'prod/web1/linked': link('app'), 'prod/web2': link('web1') })
  scratch.write({ 'prod/-x/app/file': 'f' })
  const commit = scratch.commit('begin')
  scratch.git('update-index', '--add', '--cacheinfo', `160000,${commit},prod/web1/module`)
  scratch.git('commit', '--quiet', '-m', 'a submodule')
  const snapshot = await takeRevision(scratch, 'HEAD')
  assert.deepEqual(
    snapshot.problems.map(({ file }) => file),
    ['-x', 'web1/linked', 'web1/module', 'web2'],
  )
  assert.deepEqual(await filesOf(snapshot), { web1: { '100644 app/file': 'f' } })
})

test('every change is seen: content, mode, type, additions, removals', async t => {
  const scratch = makeScratch(t)
  scratch.write({ 'prod/web1/app/a': 'one', 'prod/web1/app/b': 'b', 'prod/web2/app/c': 'c' })
  const changes: [Record<string, string>, () => void][] = [
    [{ '100644 app/a': 'two', '100644 app/b': 'b' }, () => scratch.write({ 'prod/web1/app/a': 'two' })],
    [
      { '100755 app/a': 'two', '100644 app/b': 'b' },
      () => chmodSync(join(scratch.dir, 'prod/web1/app/a'), 0o755),
    ],
    [{ '100755 app/a': 'two' }, () => rmSync(join(scratch.dir, 'prod/web1/app/b'))],
    [
      { '120000 app/a': 'x' },
      () => {
        rmSync(join(scratch.dir, 'prod/web1/app/a'))
        symlinkSync('x', join(scratch.dir, 'prod/web1/app/a'))
      },
    ],
    [
      { '100644 app/a/deep': 'd' },
      () => {
        rmSync(join(scratch.dir, 'prod/web1/app/a'))
        scratch.write({ 'prod/web1/app/a/deep': 'd' })
      },
    ],
    [{}, () => rmSync(join(scratch.dir, 'prod/web1/app'), { recursive: true })],
  ]
  await take(scratch)
  for (const [expected, change] of changes) {
    change()
    const files = await filesOf(await take(scratch))
    assert.deepEqual(files, { web1: expected, web2: { '100644 app/c': 'c' } })
  }
  rmSync(join(scratch.dir, 'prod/web1'), { recursive: true })
  assert.deepEqual(Object.keys(await filesOf(await take(scratch))), ['web2'])
})

test('a change of the same length in the same instant is seen, even with the time stamp put back', async t => {
  const scratch = makeScratch(t)
  const file = join(scratch.dir, 'prod/web1/app/file')
  for (let i = 0; i < 30; i++) {
    scratch.write({ 'prod/web1/app/file': `${i % 2}` })
    utimesSync(file, 1, 1)
    assert.deepEqual(await filesOf(await take(scratch)), { web1: { '100644 app/file': `${i % 2}` } })
  }
})

test('a file replaced by one with the same times and size is seen', async t => {
  const scratch = makeScratch(t)
  scratch.write({ 'prod/web1/app/file': 'old', 'new': 'new' })
  const { mtime } = statSync(join(scratch.dir, 'prod/web1/app/file'))
  utimesSync(join(scratch.dir, 'new'), mtime, mtime)
  await settle()
  await take(scratch)
  renameSync(join(scratch.dir, 'new'), join(scratch.dir, 'prod/web1/app/file'))
  assert.deepEqual(await filesOf(await take(scratch)), { web1: { '100644 app/file': 'new' } })
})

test('of an unchanged tree, git reads and writes nothing', async t => {
  const scratch = makeScratch(t)
  scratch.write({ 'prod/web1/app/file': 'f', 'prod/web2/app/link': link('x'), 'prod/web3/.gitkeep': '' })
  scratch.commit('begin')
  await settle()
  const first = await take(scratch)
  const trace = join(scratch.dir, '../trace')
  const second = await take(scratch, 'prod', { GIT_TRACE2_EVENT: trace })
  assert.deepEqual(second.hosts, first.hosts)
  const started = execFileSync('grep', ['-o', '"argv":.*]', trace], { encoding: 'utf8' })
  const commands = [...started.matchAll(/"git","([a-z-]+)"/g)].map(([, command]) => command)
  assert.deepEqual(commands, ['rev-parse'])
})

for (const damage of ['', 'garbage', 'deptool-stat/3 9999999999999\nweb1 nonsense\n'])
  test(`a damaged stat cache is replaced: '${damage.slice(0, 20)}'`, async t => {
    const scratch = makeScratch(t)
    scratch.write({ 'prod/web1/app/file': 'f' })
    await settle()
    const { hosts } = await take(scratch)
    scratch.write({ '.git/deptool/stat/prod': damage })
    assert.deepEqual((await take(scratch)).hosts, hosts)
    assert.notEqual(
      execFileSync('cat', ['.git/deptool/stat/prod'], { cwd: scratch.dir, encoding: 'utf8' }),
      damage,
    )
  })

test('an edit adds its host to the stat cache, wherever that is then cut off, and in time all is written anew', async t => {
  const scratch = makeScratch(t)
  const hosts = ['web1', 'web2', 'web3', 'web4']
  scratch.write(Object.fromEntries(hosts.map(host => [`prod/${host}/app/file`, 'begin'])))
  const cache = join(scratch.dir, '.git/deptool/stat/prod')
  const snapshot = async () => {
    await settle()
    return filesOf(await take(scratch))
  }
  await snapshot()
  const whole = readFileSync(cache)
  scratch.write({ 'prod/web2/app/file': 'first' })
  await snapshot()
  const longer = readFileSync(cache)
  assert.deepEqual(longer.subarray(0, whole.length), whole)
  assert.ok(longer.length > whole.length && longer.length < 1.5 * whole.length)
  scratch.write({ 'prod/web2/app/file': 'other' })
  for (let cut = whole.length; cut <= longer.length; cut += 7) {
    writeFileSync(cache, longer.subarray(0, cut))
    assert.equal((await filesOf(await take(scratch)))['web2']?.['100644 app/file'], 'other', `cut at ${cut}`)
    // Another process that adds to it, all the same.
    writeFileSync(cache, Buffer.concat([longer.subarray(0, cut), longer.subarray(whole.length)]))
    assert.equal((await filesOf(await take(scratch)))['web2']?.['100644 app/file'], 'other', `cut at ${cut}`)
  }
  writeFileSync(cache, longer)
  for (let i = 0; i < 10; i++) {
    scratch.write({ 'prod/web3/app/file': `${i}` })
    assert.equal((await snapshot())['web3']?.['100644 app/file'], `${i}`)
    assert.ok(readFileSync(cache).length < 2.5 * whole.length)
  }
})

test('many snapshots at the same time do not disturb one another', async t => {
  const scratch = makeScratch(t)
  const files = Array.from({ length: 40 }, (_, i) => [`prod/web${i % 4}/app/f${i}`, `${i}`])
  scratch.write(Object.fromEntries(files))
  const all = await Promise.all(Array.from({ length: 6 }, () => take(scratch)))
  for (const { hosts } of all) assert.deepEqual(hosts, all[0]!.hosts)
  assert.deepEqual((await take(scratch)).hosts, all[0]!.hosts)
})

test('objects that were pruned come back after forgetIndex', async t => {
  const scratch = makeScratch(t)
  scratch.write({ 'prod/web1/app/file': 'f' })
  await settle()
  await take(scratch)
  scratch.git('gc', '--quiet', '--prune=now')
  const stale = await take(scratch)
  const roots = stale.hosts.map(({ tree }) => tree)
  await assert.rejects(drive(readHosts(roots), stale.reader), LostObject)
  forgetIndex(await scratch.open(), prod)
  const fresh = await take(scratch)
  assert.deepEqual(fresh.hosts, stale.hosts)
  assert.deepEqual(await filesOf(fresh), { web1: { '100644 app/file': 'f' } })
  forgetIndex(await scratch.open(), prod)
  forgetIndex(await scratch.open(), prod)
})

for (const [when, days] of [
  ['after a week', -8],
  ['once a clock is right that was ahead', 400],
] as const)
  test(`${when} everything is read anew, so that git gc never gets to our objects`, async t => {
    const scratch = makeScratch(t)
    scratch.write({ 'prod/web1/app/file': 'f' })
    await settle()
    const { hosts } = await take(scratch)
    const cache = join(scratch.dir, '.git/deptool/stat/prod')
    const then = Date.now() + days * 24 * 60 * 60 * 1000
    writeFileSync(cache, readFileSync(cache, 'utf8').replace(/ \d+/, ` ${then}`))
    scratch.git('prune', '--expire=now')
    assert.throws(() => scratch.git('cat-file', '-e', hosts[0]!.tree))
    assert.deepEqual(await filesOf(await take(scratch)), { web1: { '100644 app/file': 'f' } })
  })

test('dirty means: what would be deployed is not what HEAD has', async t => {
  const scratch = makeScratch(t)
  scratch.write({ ...LAYOUT, '.gitignore': '*.key\n' })
  scratch.commit('begin')
  const dirty = async () => {
    const { source } = await take(scratch)
    return source.kind === 'worktree' && source.dirty
  }
  assert.equal(await dirty(), false)
  scratch.write({ 'prod/README.md': 'changed', 'prod/web1/README.md': 'changed' })
  assert.equal(await dirty(), false)
  scratch.write({ 'prod/web1/app/ignored.key': 'k' })
  assert.equal(await dirty(), true)
  rmSync(join(scratch.dir, 'prod/web1/app/ignored.key'))
  assert.equal(await dirty(), false)
  assert.equal(await dirty(), false)
  const clean = scratch.git('rev-parse', 'HEAD')
  scratch.git('rm', '--quiet', '--cached', 'prod/web1/app/file')
  scratch.git('commit', '--quiet', '--message=less')
  assert.equal(await dirty(), true)
  scratch.git('reset', '--quiet', '--soft', clean)
  assert.equal(await dirty(), false)
  scratch.write({ 'prod/web3': directory })
  assert.equal(await dirty(), true)
})

test('a detached HEAD has no branch', async t => {
  const scratch = makeScratch(t)
  scratch.write({ 'prod/web1/app/file': 'f' })
  const commit = scratch.commit('begin')
  scratch.git('checkout', '--quiet', '--detach')
  assert.deepEqual((await take(scratch)).source, { kind: 'worktree', commit, branch: null, dirty: false })
})

test('in a linked worktree, each tree has its own state', async t => {
  const scratch = makeScratch(t)
  scratch.write({ 'prod/web1/app/file': 'f' })
  scratch.commit('begin')
  scratch.git('worktree', 'add', '--quiet', '-b', 'other', '../other')
  const other = scratch.beside('other')
  other.write({ 'prod/web1/app/file': 'changed' })
  const there = await take(other, 'prod', {}, join(other.dir, 'prod'))
  assert.deepEqual(await filesOf(there), { web1: { '100644 app/file': 'changed' } })
  assert.equal(there.source.kind === 'worktree' && there.source.branch, 'other')
  assert.deepEqual(await filesOf(await take(scratch)), { web1: { '100644 app/file': 'f' } })
})

test('the variables that git sets for a hook do no harm', async t => {
  const scratch = makeScratch(t)
  scratch.write({ 'prod/web1/app/file': 'f' })
  const commit = scratch.commit('begin')
  const index = execFileSync('sha1sum', [join(scratch.dir, '.git/index')]).toString()
  scratch.write({ 'prod/web1/app/more': 'm' })
  const env = { GIT_DIR: '.git', GIT_INDEX_FILE: '.git/index', GIT_PREFIX: '' }
  const snapshot = await take(scratch, 'prod', env)
  assert.deepEqual(await filesOf(snapshot), { web1: { '100644 app/file': 'f', '100644 app/more': 'm' } })
  assert.deepEqual(snapshot.source, { kind: 'worktree', commit, branch: 'main', dirty: true })
  assert.equal(execFileSync('sha1sum', [join(scratch.dir, '.git/index')]).toString(), index)
})

for (const [what, options] of [
  ['a SHA-256', { init: ['--object-format=sha256'] }],
  ['an oddly named', { name: 'größe "und" maß' }],
] as const)
  test(`${what} repository works, also from a subdirectory`, async t => {
    const scratch = makeScratch(t, options)
    scratch.write({
      ...prefixed('infra/my clusters/'),
      'infra/my clusters/prod/web1/app/line': link('a b/ü'),
    })
    scratch.commit('begin')
    const cwd = join(scratch.dir, 'infra/my clusters/prod')
    const onDisk = await take(scratch, 'infra/my clusters/prod', {}, cwd)
    assert.equal(onDisk.source.kind === 'worktree' && onDisk.source.dirty, false)
    const committed = await takeRevision(scratch, 'HEAD~0', 'infra/my clusters/prod')
    assert.deepEqual(onDisk.hosts, committed.hosts)
    assert.deepEqual(Object.keys(await filesOf(onDisk)), ['web1', 'web2'])
    scratch.git('fsck', '--strict')
  })

test('a cluster at the root of its repository works', async t => {
  const scratch = makeScratch(t)
  scratch.write({ 'web1/app/file': 'f' })
  scratch.commit('begin')
  const onDisk = await take(scratch, '')
  assert.equal(onDisk.source.kind === 'worktree' && onDisk.source.dirty, false)
  assert.deepEqual((await takeRevision(scratch, 'main', '')).hosts, onDisk.hosts)
})

test('a bare repository gives revisions', async t => {
  const scratch = makeScratch(t)
  scratch.write(LAYOUT)
  scratch.commit('begin')
  scratch.git('clone', '--quiet', '--bare', '.', '../bare')
  const snapshot = await takeRevision(scratch.beside('bare'), 'main')
  assert.deepEqual(Object.keys(await filesOf(snapshot)), ['web1', 'web2'])
})

test('an unknown revision, a missing cluster and a missing directory are told', async t => {
  const scratch = makeScratch(t)
  scratch.write({ 'prod/web1/app/file': 'f' })
  scratch.commit('begin')
  await assert.rejects(takeRevision(scratch, 'nope'), { message: /^cannot read revision 'nope': / })
  await assert.rejects(takeRevision(scratch, '-x\ny'), { message: /^cannot read revision / })
  await assert.rejects(takeRevision(scratch, 'HEAD:prod'), { message: /^cannot read revision 'HEAD:prod': / })
  await assert.rejects(takeRevision(scratch, 'HEAD', 'lab'), {
    message: "cannot read 'lab' in revision 'HEAD': there is no such directory",
    hint: /cluster/,
  })
  await assert.rejects(take(scratch, 'lab'), {
    message: /^cannot read '.*\/lab': there is no such directory$/,
  })
  await assert.rejects(take(scratch, 'prod/web1/app/file'), { message: /: not a directory$/ })
})

function pipe(path: string): void {
  execFileSync('mkfifo', [path])
}

function prefixed(prefix: string): Record<string, string> {
  return Object.fromEntries(Object.entries(LAYOUT).map(([path, content]) => [`${prefix}${path}`, content]))
}

/** Until files just written count as settled, so that the cache may trust them. */
function settle(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 50))
}

test('what a sparse checkout leaves out has not been deleted', async t => {
  const scratch = makeScratch(t)
  scratch.write({ 'prod/web1/app/file': 'f', 'prod/web2/app/file': 'f', 'prod/web2/README': 'not deployed' })
  scratch.commit('begin')
  scratch.git('sparse-checkout', 'set', '--no-cone', '/*', '!/prod/web2/README')
  assert.equal((await take(scratch)).source.kind, 'worktree')
  scratch.git('sparse-checkout', 'set', '--no-cone', '/*', '!/prod/web2/')
  await assert.rejects(take(scratch), {
    message: `cannot read '${scratch.dir}/prod': 'web2/app/file' is not in the sparse checkout`,
  })
  scratch.git('sparse-checkout', 'disable')
  scratch.write({ 'prod/web2/app/more': 'f' })
  assert.equal((await take(scratch)).hosts.length, 2)
})

test('an index with a conflict is told by its file', async t => {
  const scratch = makeScratch(t)
  const write = (content: string) => scratch.write({ 'prod/web1/app/file': content })
  write('one')
  scratch.commit('one')
  scratch.git('checkout', '--quiet', '-b', 'other')
  write('two')
  scratch.commit('two')
  scratch.git('checkout', '--quiet', 'main')
  write('three')
  scratch.commit('three')
  assert.throws(() => scratch.git('merge', 'other'))
  const repo = await scratch.open()
  await assert.rejects(snapshotStaged(repo, 'prod', scratch.reader(repo)), {
    message: "cannot read the index: 'prod/web1/app/file' is unmerged",
  })
})
