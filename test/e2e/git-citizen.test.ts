/** What somebody who knows git expects of any of its commands. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { needs } from '../support/needs.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld, type WorldOptions } from '../support/world.ts'

const TOP = fileURLToPath(new URL('../..', import.meta.url))
const TREE = { 'web1/www/index.html': 'one\n' }

async function makeRepository(t: TestContext, options: WorldOptions = {}) {
  const world = await makeWorld(t, TREE, options)
  const ran = async (...argv: string[]) => {
    const { stdout, stderr, code } = await world.execute(argv)
    return { stdout: world.normalise(stdout), stderr: world.normalise(stderr), code }
  }
  const page = () => readFileSync(join(world.host('web1').directory, PAGE), 'utf8')
  return { world, ran, page }
}

const PAGE = 'var/lib/deptool/apps/www/current/index.html'
const NEW_HOST = '\nweb1 (new host)\n    add www\n        + index.html\n'
const PLAN = { stdout: `prod from the working tree (main <oid>)\n${NEW_HOST}`, stderr: '', code: 0 }

test('a deployment from a subdirectory, and from below git -C', async t => {
  const { world, ran, page } = await makeRepository(t)
  assert.deepEqual(await ran('git', '-C', 'prod/web1', 'deploy', 'plan', 'prod'), PLAN)
  assert.deepEqual(await ran('git', '-C', 'prod', '-C', 'web1', 'deploy', 'plan', '..'), PLAN)
  assert.equal((await ran('git', '-C', 'prod/web1/www', 'deploy', '--yes', 'prod')).code, 0)
  assert.equal(page(), 'one\n')
  assert.deepEqual(await ran('git', '-C', 'prod/web1', 'deploy'), {
    stdout: 'prod is up to date (1 host)\n',
    stderr: '',
    code: 0,
  })
  assert.equal(await world.git('status', '--porcelain'), '')
})

test('a linked worktree deploys its own files, and shares what is known of the hosts', async t => {
  const { world, ran, page } = await makeRepository(t)
  await world.git('worktree', 'add', '--quiet', '-b', 'side', '../linked')
  writeFileSync(join(world.repo, '../linked/prod/web1/www/index.html'), 'linked\n')
  const deployed = await ran('git', '-C', '../linked', 'deploy', '--yes', 'prod')
  assert.match(deployed.stdout, /^prod from the working tree \(side <oid>, with uncommitted changes\)\n/)
  assert.equal(page(), 'linked\n')
  await world.run('plan', 'prod').stdout(/^web1\n {4}update www\n {8}~ index\.html$/m)
})

test('a bare repository deploys a revision, and asks for one', async t => {
  const { world, ran, page } = await makeRepository(t)
  await world.git('clone', '--quiet', '--bare', '.', '../bare.git')
  const bare = (...args: string[]) => ran('git', '-C', '../bare.git', 'deploy', ...args)
  assert.deepEqual(await bare('plan', 'prod'), {
    stdout: '',
    stderr:
      "fatal: cannot read 'prod': this repository has no working tree\nhint: name a revision, as in 'git deploy plan prod HEAD'\n",
    code: 1,
  })
  const deployed = await bare('--yes', 'prod', 'main')
  assert.match(deployed.stdout, /^prod from main \(<oid>\)\n/)
  assert.equal(deployed.code, 0)
  assert.equal(page(), 'one\n')
  assert.match((await bare('diff', 'prod', 'main', '--stat')).stdout, /^$/)
  assert.match(
    await world.git('-C', '../bare.git', 'reflog', 'refs/deptool/web1'),
    /refs\/deptool\/web1@\{0\}: deploy /,
  )
})

test('a push to a bare repository deploys by its post-receive hook', async t => {
  const { world, page } = await makeRepository(t)
  await world.git('clone', '--quiet', '--bare', '.', '../bare.git')
  const hook = '#!/bin/sh\nread -r old new ref && git deploy --yes prod "$new"\n'
  writeFileSync(join(world.repo, '../bare.git/hooks/post-receive'), hook, { mode: 0o755 })
  world.write({ 'web1/www/index.html': 'pushed\n' })
  await world.commit()
  const { stderr, code } = await world.execute(['git', 'push', '../bare.git', 'main'])
  assert.match(stderr, /^remote: deployed to 1 host in 'prod'/m)
  assert.equal(code, 0)
  assert.equal(page(), 'pushed\n')
})

test('SHA-256: objects, refs and the store of the host', async t => {
  const { world, page } = await makeRepository(t, { init: ['--object-format=sha256'] })
  await world.deploy()
  world.write({ 'web1/www/index.html': 'two\n' })
  await world.deploy()
  assert.equal(page(), 'two\n')
  const head = await world.git('rev-parse', 'refs/deptool/web1')
  assert.equal(head.length, 64)
  await world.git('fsck', '--strict')
  const store = join(world.host('web1').directory, 'var/lib/deptool/store')
  const inStore = (...args: string[]) => world.git('-C', store, ...args)
  assert.equal(await inStore('rev-parse', '--show-object-format'), 'sha256')
  assert.equal(await inStore('rev-parse', 'refs/deptool/current'), head)
  assert.equal(await inStore('log', '--format=%s', 'refs/deptool/current'), 'web1: update www\nweb1: add www')
  assert.equal(await inStore('fsck', '--strict'), '')
  await world.run('prod').stdout('prod is up to date (1 host)\n')
  await world.run('diff', 'prod')
})

test('reftable: tracking refs, the fleet ref and their reflogs', needs('reftable'), async t => {
  const { world, page } = await makeRepository(t, { init: ['--ref-format=reftable'] })
  await world.deploy()
  world.write({ 'web1/www/index.html': 'two\n' })
  await world.deploy()
  assert.equal(page(), 'two\n')
  assert.equal(
    await world.git('log', '--first-parent', '--format=%s', 'refs/deptool'),
    'prod: deploy to web1\nprod: deploy to web1\nbegin the history of the fleet',
  )
  assert.equal((await world.git('reflog', 'refs/deptool/web1')).split('\n').length, 2)
  await world.run('prod').stdout('prod is up to date (1 host)\n')
})

test(
  "a repository of somebody else is refused with git's own advice, which helps",
  needs('root'),
  async t => {
    const { world, ran } = await makeRepository(t)
    execFileSync('chown', ['-R', 'nobody', world.repo])
    assert.deepEqual(await ran('git', 'deploy', 'plan', 'prod'), {
      stdout: '',
      stderr: `fatal: detected dubious ownership in repository at '<dir>/ada/repo'
hint: To add an exception for this directory, call:
hint: 
hint: 	git config --global --add safe.directory <dir>/ada/repo
`,
      code: 1,
    })
    assert.deepEqual(await ran('git', '-c', 'safe.directory=*', 'deploy', 'plan', 'prod'), PLAN)
  },
)

test('git -c, the environment and includes set what git config sets', async t => {
  const { world, ran } = await makeRepository(t)
  const refused =
    "fatal: cannot use 'deptool.jobs': its value is 'x', expected a whole number from 1 to 10000\n"
  const { stderr } = await ran('git', '-c', 'deptool.jobs=x', 'deploy', 'plan', 'prod')
  assert.equal(stderr, `${refused}hint: run 'git config deptool.jobs <value>' to change it\n`)
  assert.deepEqual(await ran('git', '-c', 'deptool.cluster=prod', 'deploy', 'plan'), PLAN)
  writeFileSync(join(world.home, 'more'), '[deptool]\n\tcluster = prod\n')
  await world.git('config', 'include.path', join(world.home, 'more'))
  assert.deepEqual(await ran('git', 'deploy', 'plan'), PLAN)
})

test('GIT_DIR and GIT_WORK_TREE, absolute or not, from anywhere', async t => {
  const { world, ran } = await makeRepository(t)
  const elsewhere = (...env: string[]) =>
    ran('env', '-C', 'prod/web1', ...env, 'git', 'deploy', 'plan', 'prod')
  assert.deepEqual(await elsewhere('GIT_DIR=../../.git', 'GIT_WORK_TREE=../..'), PLAN)
  const absolute = [`GIT_DIR=${world.repo}/.git`, `GIT_WORK_TREE=${world.repo}`]
  assert.deepEqual(
    await ran('env', '-C', '/', ...absolute, 'git', 'deploy', 'plan', `${world.repo}/prod`),
    PLAN,
  )
  assert.deepEqual(await ran('git', '--git-dir=.git', '--work-tree=.', 'deploy', 'plan', 'prod'), PLAN)
  // git diff runs in the top directory.
  const diff = await ran(
    'env',
    '-C',
    'prod/web1',
    'GIT_DIR=../../.git',
    'GIT_WORK_TREE=../..',
    'git',
    'deploy',
    'diff',
    'prod',
    '--name-only',
  )
  assert.deepEqual(diff, { stdout: 'web1/www/index.html\n', stderr: '', code: 0 })
})

test('an index of somebody else, as hooks have one, is neither read nor written', async t => {
  const { ran, page } = await makeRepository(t)
  const foreign = ['env', 'GIT_INDEX_FILE=.git/no-such-index', 'git', 'deploy']
  assert.deepEqual(await ran(...foreign, 'plan', 'prod'), PLAN)
  assert.equal((await ran(...foreign, '--yes', 'prod')).code, 0)
  assert.equal(page(), 'one\n')
  assert.equal((await ran('ls', '.git/no-such-index')).code, 2)
})

test('core.abbrev says how long names are', async t => {
  const { world } = await makeRepository(t)
  const head = await world.git('rev-parse', 'HEAD')
  const shown = async (abbrev: string, ...args: string[]) =>
    (await world.execute(['git', '-c', `core.abbrev=${abbrev}`, 'deploy', ...args])).stdout
  assert.match(await shown('12', 'plan', 'prod'), new RegExp(`\\(main ${head.slice(0, 12)}\\)`))
  assert.match(await shown('no', 'plan', 'prod', 'HEAD'), new RegExp(`\\(${head}\\)`))
  assert.match(await shown('auto', 'plan', 'prod', 'HEAD'), new RegExp(`\\(${head.slice(0, 7)}\\)`))
  await world.deploy()
  assert.match(await shown('10', 'status'), new RegExp(`deployed ${head.slice(0, 10)} `))
})

test("git's pager is used where git is told so, in colour", async t => {
  const { world } = await makeRepository(t)
  world.env['GIT_PAGER'] = 'sed s/^/paged:/'
  await world.runInTerminal(['plan', 'prod']).stdout(/^prod from/)
  await world.git('config', 'pager.deploy', 'true')
  await world.runInTerminal(['plan', 'prod']).stdout(/^paged:prod from[\s\S]*\npaged:\x1b\[1mweb1/)
  await world.git('config', 'color.pager', 'false')
  await world.runInTerminal(['plan', 'prod']).stdout(/\npaged:web1/)
  await world.git('config', '--unset', 'pager.deploy')
  await world.runInTerminal(['diff', 'prod']).stdout(/^paged:/)
})

test('paths with spaces, quotes and UTF-8, above and below the cluster', async t => {
  const { world, ran } = await makeRepository(t)
  const cluster = `größe "und" maß`
  world.write({
    [`../${cluster}/web1/mein app/it's $HOME; naïve.txt`]: 'odd\n',
  })
  assert.equal((await ran('git', 'deploy', '--yes', cluster)).code, 0)
  const app = join(world.host('web1').directory, 'var/lib/deptool/apps/mein app/current')
  assert.equal(readFileSync(join(app, "it's $HOME; naïve.txt"), 'utf8'), 'odd\n')
  await world.commit()
  assert.equal(
    (await ran('git', '-C', cluster, 'deploy', 'plan', '.', 'HEAD')).stdout,
    `${cluster} is up to date (1 host)\n`,
  )
  await world.git('clone', '--quiet', '.', '../a "clone" of ünïx')
  assert.equal((await ran('git', '-C', '../a "clone" of ünïx', 'deploy', 'plan', 'prod')).code, 0)
})

test('help: -h here, --help and git help by the manual page', async t => {
  const { world, ran } = await makeRepository(t)
  assert.match((await ran('git', 'deploy', '-h')).stdout, /^usage: git deploy \[<options>\]/)
  for (const verb of ['plan', 'diff', 'status', 'init', 'hooks', 'completion'])
    assert.match((await ran('git', 'deploy', verb, '-h')).stdout, new RegExp(`^usage: git deploy ${verb}`))
  mkdirSync(join(world.home, 'man/man1'), { recursive: true })
  symlinkSync(join(TOP, 'man/git-deploy.1'), join(world.home, 'man/man1/git-deploy.1'))
  Object.assign(world.env, { MANPATH: join(world.home, 'man'), MANPAGER: 'cat', MANWIDTH: '80' })
  for (const args of [
    ['deploy', '--help'],
    ['help', 'deploy'],
  ]) {
    const { stdout, code } = await ran('git', ...args)
    assert.match(stdout, /^GIT-DEPLOY\(1\)/, args.join(' '))
    assert.equal(code, 0)
  }
})

test('aliases, and git-deploy as a link in a directory of its own', async t => {
  const { world, ran } = await makeRepository(t)
  await world.git('config', 'alias.d', 'deploy')
  await world.git('config', 'alias.dp', 'deploy plan')
  assert.deepEqual(await ran('git', 'd', 'plan', 'prod'), PLAN)
  assert.deepEqual(await ran('git', '-C', 'prod/web1', 'dp', 'prod'), PLAN)
  assert.deepEqual(await ran('git', '-C', 'prod/web1', 'dp', '..'), PLAN)

  const bin = join(world.home, 'bin')
  mkdirSync(bin, { recursive: true })
  symlinkSync(join(TOP, 'bin/git-deploy'), join(bin, 'git-deploy'))
  world.env['PATH'] = [bin, dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter)
  assert.deepEqual(await ran('git', 'deploy', 'plan', 'prod'), PLAN)
  await world.run('prod', '--yes').stdout(anything).stderr(anything)
  assert.match((await ran('git', '--list-cmds=others')).stdout, /^deploy$/m)
})

test('names are read as UTF-8, whatever git log is told to write', async t => {
  const { world, ran } = await makeRepository(t)
  await world.git('config', 'user.name', 'Jörg')
  await world.git('config', 'i18n.logOutputEncoding', 'ISO-8859-1')
  await world.deploy()
  assert.match((await ran('git', 'deploy', 'status')).stdout, / by Jörg /)
  const bob = await world.colleague('Bob')
  await bob.git('config', 'i18n.logOutputEncoding', 'ISO-8859-1')
  await bob.run('sync', 'prod').stdout(/ by Jörg$/m)
})

test('a shallow clone does not say that nothing ran before', async t => {
  const { world } = await makeRepository(t)
  await world.deploy()
  world.write({ 'web1/www/index.html': 'two\n' })
  await world.commit()
  await world.deploy()
  const bob = await world.colleague('Bob')
  const fetch = ['fetch', '--quiet', `file://${world.repo}`, 'main', 'refs/deptool/*:refs/deptool/*']
  await bob.git(...fetch, '--depth=1')
  await bob
    .run('rollback', 'web1')
    .exits(1)
    .stderr(`fatal: cannot roll back 'web1': this clone is shallow and may lack the earlier deployment
hint: run 'git fetch --unshallow'
`)
  await bob.git(...fetch, '--unshallow')
  await bob.run('rollback', '-n', 'web1').stdout(/update www/)
})

test('a repository that a group shares', needs('root'), async t => {
  const { world, ran, page } = await makeRepository(t, { init: ['--shared=group'] })
  await world.deploy()
  const other = [
    'setpriv',
    '--reuid=nobody',
    '--regid=nogroup',
    '--clear-groups',
    'git',
    '-c',
    'safe.directory=*',
  ]
  const own = (who: string, path: string) => execFileSync('chown', ['-R', who, path])
  chmodSync(join(world.home, '../..'), 0o755)
  own(':nogroup', world.repo)
  own('nobody', world.host('web1').directory)
  chmodSync(join(world.repo, 'prod/web1/www/index.html'), 0o664)
  assert.equal((await ran(...other, 'deploy', 'plan', 'prod')).code, 0)
  writeFileSync(join(world.repo, 'prod/web1/www/index.html'), 'two\n')
  const deployed = await ran(...other, 'deploy', '--yes', 'prod')
  assert.deepEqual([deployed.code, page()], [0, 'two\n'], deployed.stderr)
  assert.equal((await ran('git', 'deploy', 'log')).stdout.match(/^deployment/gm)?.length, 2)
  assert.equal((await ran('git', 'deploy', 'sync', 'prod')).code, 0)

  // Somebody who may read it and no more.
  const reader = other.map(word => word.replace('--regid=nogroup', '--regid=daemon'))
  assert.equal((await ran(...reader, 'deploy', 'plan', 'prod')).stdout, 'prod is up to date (1 host)\n')
  const init = await ran(...reader, 'deploy', 'init', 'staging')
  assert.match(init.stderr, /^fatal: cannot mkdir '.*staging': permission denied\n$/)
})

test('an object that git has lost is told, and read from disk again', async t => {
  const { world, page } = await makeRepository(t)
  world.write({ 'web1/www/index.html': 'two\n' })
  const blob = await world.git('hash-object', 'prod/web1/www/index.html')
  // The second time the stat cache answers for the file.
  for (const _ of [1, 2]) {
    await setTimeout(50)
    await world.run('plan', 'prod').stdout(anything)
  }
  rmSync(join(world.repo, '.git/objects', blob.slice(0, 2), blob.slice(2)))
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(`  <time>  web1  cannot read object ${blob}: it is not in this repository
          hint: run 'git fetch' to fetch what others have pushed, or 'git fsck' to find damage
fatal: cannot deploy 'prod': no host was changed
`)
  await world.deploy()
  assert.equal(page(), 'two\n')
  const manifest = '{ "systemd": {} }'
  world.write({ 'web1/www/manifest.json': manifest })
  await world.commit()
  const lost = await world.git('hash-object', 'prod/web1/www/manifest.json')
  rmSync(join(world.repo, '.git/objects', lost.slice(0, 2), lost.slice(2)))
  await world
    .run('plan', 'prod', 'HEAD')
    .exits(1)
    .stderr(/^fatal: cannot read object <oid>: it is not in this repository\nhint: /)
})

test('a file that nobody could take from a host again is not deployed', async t => {
  const { world } = await makeRepository(t)
  const big = join(world.repo, 'prod/web1/www/big')
  writeFileSync(big, '')
  truncateSync(big, 512 * 1024 * 1024 + 1)
  await world
    .run('plan', 'prod')
    .exits(1)
    .stderr(/^error: prod\/web1\/www\/big: cannot be deployed: it is larger than 512 MiB\n/)
  await world.git('config', 'core.compression', '1')
  await world.commit()
  await world
    .run('prod', 'HEAD', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(/web1 {2}cannot deploy object <oid>: it is larger than 512 MiB\n(.|\n)*no host was changed\n$/)
})
