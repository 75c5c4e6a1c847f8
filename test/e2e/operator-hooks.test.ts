/** pre-deploy and post-deploy: the operator's own hooks around a deployment. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { feedsHooks } from '../../src/git/hooks.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'

const TREE = { 'web1/www/index.html': 'one\n', 'dns1/nsd/nsd.conf': 'one\n' }
const NONE = '0'.repeat(40)

/** Writes down how it was called: arguments, directory, input, and what the environment says of the deployment. */
const NOTES = `#!/bin/sh
{ echo "$0 $*"; pwd; cat; env | grep ^DEPTOOL_ | sort; } >>"$HOME/notes"
echo "said by the hook"
`

async function makeHooked(t: TestContext, hooks: Readonly<Record<string, string>>) {
  const world = await makeWorld(t, TREE)
  for (const [name, text] of Object.entries(hooks)) {
    const file = join(world.repo, '.git/hooks', name)
    writeFileSync(file, text)
    chmodSync(file, 0o755)
  }
  const notes = () => world.normalise(readFileSync(join(world.home, 'notes'), 'utf8'))
  return { world, notes }
}

/** A port on which nobody speaks SSH, and how often somebody came. */
async function startCounter(t: TestContext): Promise<{ url: string; count: () => number }> {
  let count = 0
  const server = createServer(socket => {
    count++
    socket.destroy()
  })
  await new Promise<void>(ready => server.listen(0, '127.0.0.1', ready))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return { url: `ssh://root@127.0.0.1:${port}`, count: () => count }
}

test('both are called in the top directory, with the cluster and a line for each host', async t => {
  const { world, notes } = await makeHooked(t, { 'pre-deploy': NOTES, 'post-deploy': NOTES })
  const deploy = (...args: string[]) =>
    world.execute(['git', '-C', 'prod/web1', 'deploy', '--yes', 'prod', ...args])
  const first = await deploy()
  assert.equal(first.code, 0)
  assert.match(first.stderr, /^said by the hook\n(.|\n)*web1 {2}deployed\n(.|\n)*said by the hook\n$/)
  assert.doesNotMatch(first.stdout, /said by the hook/)
  const [dns1, web1] = await Promise.all(
    ['dns1', 'web1'].map(host => world.git('rev-parse', `refs/deptool/${host}`)),
  )
  const lines = `dns1 ${dns1} refs/deptool/dns1 ${NONE}\nweb1 ${web1} refs/deptool/web1 ${NONE}\n`
  const called = (name: string, input: string, more: string) =>
    `<dir>/ada/repo/.git/hooks/${name} prod\n<dir>/ada/repo\n${input}DEPTOOL_DEPLOYMENT=<id>\n${more}`
  const rest = 'DEPTOOL_UNCHANGED=\nDEPTOOL_UNDONE=\nDEPTOOL_UNKNOWN=\n'
  const expected = world.normalise(called('pre-deploy', lines, '') + called('post-deploy', lines, rest))
  assert.equal(notes(), expected)
  const raw = readFileSync(join(world.home, 'notes'), 'utf8')
  assert.equal(raw.split(lines).length, 3, 'the commits are those that the refs name then')

  world.write({ 'web1/www/index.html': 'two\n' })
  await deploy()
  const now = await world.git('rev-parse', 'refs/deptool/web1')
  assert.equal(
    readFileSync(join(world.home, 'notes'), 'utf8').split(`web1 ${now} refs/deptool/web1 ${web1}\n`).length,
    3,
  )
})

test('pre-deploy stops everything, before any host is connected to', async t => {
  const { world } = await makeHooked(t, { 'pre-deploy': '#!/bin/sh\necho "not on a Friday" >&2\nexit 7\n' })
  const { url, count } = await startCounter(t)
  await world.git('config', 'deptool-host.web1.url', url)
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(/^prod from/)
    .stderr(
      `not on a Friday
fatal: cannot deploy 'prod': the pre-deploy hook exited with 7
hint: no host was contacted; to skip the hook, add --no-verify
`,
    )
  assert.equal(count(), 0)
  assert.deepEqual(world.host('dns1').tree('/var/lib'), [])
  assert.equal(await world.git('for-each-ref', 'refs/deptool', 'refs/refs'), '')

  await world
    .run('prod', '--yes', '--no-verify')
    .exits(1)
    .stdout(anything)
    .stderr(/^(?!.*Friday)/)
  assert.ok(count() > 0, 'without the hook, the port is connected to')
})

test('pre-deploy is not called for what deploys nothing', async t => {
  const { world } = await makeHooked(t, { 'pre-deploy': '#!/bin/sh\nexit 1\n' })
  await world.run('prod', '--dry-run').stdout(anything)
  await world.run('plan', 'prod').stdout(anything)
  await world.deploy('--no-verify')
  await world.run('prod', '--yes').stdout('prod is up to date (2 hosts)\n')
})

test('post-deploy hears of hosts that did not hold, and its failure is a warning', async t => {
  const { world, notes } = await makeHooked(t, { 'post-deploy': `${NOTES}exit 9\n` })
  await world
    .run('prod', '--yes')
    .stdout(anything)
    .stderr(/\nsaid by the hook\nwarning: the post-deploy hook exited with 9\n$/)
  const { url } = await startCounter(t)
  await world.git('config', 'deptool-host.web1.url', url)
  world.write({ 'web1/www/index.html': 'two\n', 'dns1/nsd/nsd.conf': 'two\n' })
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(
      /warning: the post-deploy hook exited with 9\nfatal: cannot deploy 'prod': no host was changed\nhint: .*\n$/,
    )
  assert.match(
    notes(),
    /hooks\/post-deploy prod\n<dir>\/ada\/repo\nDEPTOOL_DEPLOYMENT=<id>\nDEPTOOL_UNCHANGED=(dns1 web1|web1 dns1)\nDEPTOOL_UNDONE=\nDEPTOOL_UNKNOWN=\n$/,
  )
})

test('a hook that is not executable is ignored, aloud; one that reads nothing is no failure', async t => {
  const { world } = await makeHooked(t, { 'pre-deploy': '#!/bin/sh\nexit 1\n', 'post-deploy': '#!/bin/sh\n' })
  chmodSync(join(world.repo, '.git/hooks/pre-deploy'), 0o644)
  await world
    .run('prod', '--yes')
    .stdout(anything)
    .stderr(/^hint: the 'pre-deploy' hook was ignored because it is not set as executable\n(?!.*warning)/)
})

test('core.hooksPath, a hook without a first line, and one that cannot be started', async t => {
  const { world } = await makeHooked(t, {})
  const hooks = join(world.repo, 'my hooks')
  mkdirSync(hooks)
  const put = (text: string) => {
    writeFileSync(join(hooks, 'pre-deploy'), text)
    chmodSync(join(hooks, 'pre-deploy'), 0o755)
  }
  await world.git('config', 'core.hooksPath', 'my hooks')
  put('exit 5\n')
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(/the pre-deploy hook exited with 5\n/)
  const tree = ['--git-dir', join(world.repo, '.git'), '--work-tree', world.repo]
  const outside = await world.execute(['env', '-C', '/', 'git', ...tree, 'deploy', '--yes', 'prod'])
  assert.match(outside.stderr, /the pre-deploy hook exited with 5\n/)
  put('#!/no/such/shell\n')
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(/^fatal: cannot run '<dir>\/ada\/repo\/my hooks\/pre-deploy': .*ENOENT/)
})

test('in a bare repository the hooks run in it', async t => {
  const { world } = await makeHooked(t, {})
  await world.git('clone', '--quiet', '--bare', '.', '../bare.git')
  const hook = join(world.repo, '../bare.git/hooks/pre-deploy')
  writeFileSync(hook, NOTES)
  chmodSync(hook, 0o755)
  const ran = await world.execute(['git', '-C', '../bare.git', 'deploy', '--yes', 'prod', 'HEAD'])
  assert.equal(ran.code, 0, ran.stderr)
  const notes = world.normalise(readFileSync(join(world.home, 'notes'), 'utf8'))
  assert.match(notes, /^<dir>\/ada\/bare\.git\/hooks\/pre-deploy prod\n<dir>\/ada\/bare\.git\ndns1 /)
})

test('the samples do what they say', async t => {
  const sample = (name: string) =>
    readFileSync(fileURLToPath(new URL(`../../hooks/${name}.sample`, import.meta.url)), 'utf8')
  const { world } = await makeHooked(t, {
    'pre-deploy': sample('pre-deploy'),
    'post-deploy': sample('post-deploy'),
  })
  await world.git('init', '--quiet', '--bare', '../origin.git')
  await world.git('remote', 'add', 'origin', join(world.repo, '../origin.git'))
  world.write({ 'web1/www/index.html': '<<<<<<< HEAD\none\n=======\n' })
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(/^pre-deploy: the files of 'web1' in 'prod' contain an unresolved conflict\nfatal: /)
  world.write({ 'web1/www/index.html': 'two\n' })
  await world.deploy()
  const shared = await world.git('-C', '../origin.git', 'for-each-ref', '--format=%(refname)')
  assert.equal(shared, 'refs/deptool/dns1\nrefs/deptool/web1')
})

test("git's own way to run a hook is taken where it hands on the input", () => {
  assert.equal(feedsHooks('git version 2.39.5\n'), false)
  assert.equal(feedsHooks('git version 2.40.0'), true)
  assert.equal(feedsHooks('git version 2.50.1.windows.1'), true)
  assert.equal(feedsHooks('git version 3.0.0-rc1'), true)
})

test('where core.hooksPath is /dev/null there are no hooks', async t => {
  const world = await makeWorld(t, TREE)
  await world.git('config', 'core.hooksPath', '/dev/null')
  await world.deploy()
})
