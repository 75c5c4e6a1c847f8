import assert from 'node:assert/strict'
import { test } from 'node:test'
import { git, type Repository } from '../../src/git/git.ts'
import { type Account, commitFleet, commitHosts, readOperator } from '../../src/git/history.ts'
import { FLEET_REF, readRefs, readTracking, trackingRef, updateRefs } from '../../src/git/refs.ts'
import { snapshotRevision } from '../../src/git/snapshot.ts'
import type { DeploymentId } from '../../src/plan/deployment-id.ts'
import type { HostName, Oid } from '../../src/plan/names.ts'
import { host, makeScratch, prod, type Scratch } from './scratch.ts'

/** Records a deployment of `hosts` as the tool does after all of them have reported. */
async function deploy(
  scratch: Scratch,
  { id, rev = 'HEAD', hosts }: { id: string; rev?: string; hosts: readonly string[] },
): Promise<{ repo: Repository; commits: Map<HostName, Oid>; fleet: Oid }> {
  const repo = await scratch.open()
  const snapshot = await snapshotRevision(repo, rev, 'prod', scratch.reader(repo))
  const tracked = await readTracking(repo)
  const previous = (await readRefs(repo)).fleet?.commit ?? null
  const account: Account = {
    cluster: prod,
    source: snapshot.source,
    deployment: id as DeploymentId,
    subject: '',
    body: '',
  }
  const wanted = snapshot.hosts.filter(({ host }) => hosts.includes(host))
  const commits = await commitHosts(
    repo,
    wanted.map(({ host, tree }) => ({
      ...account,
      host,
      tree,
      parent: tracked.get(host)?.commit ?? null,
      subject: `deploy ${id} to ${host}`,
      body: 'nginx: update',
    })),
  )
  const trees = new Map([...tracked].map(([host, { tree }]) => [host, tree]))
  for (const { host, tree } of wanted) trees.set(host, tree)
  const fleet = await commitFleet(repo, {
    ...account,
    hosts: trees,
    previous,
    parents: [...commits.values()],
    subject: `deploy ${id}`,
  })
  const moves = [...commits].map(([host, to]) => ({
    ref: trackingRef(host),
    to,
    from: tracked.get(host)?.commit ?? null,
  }))
  await updateRefs(repo, [...moves, { ref: FLEET_REF, to: fleet, from: previous }], `deploy ${id}`)
  return { repo, commits, fleet }
}

const VERSION_1 = { 'prod/web1/nginx/nginx.conf': 'one\n', 'prod/web2/nginx/nginx.conf': 'one\n' }

for (const format of ['sha1', 'sha256'])
  test(`the history reads well with git's own commands (${format})`, async t => {
    const scratch = makeScratch(t, { init: [`--object-format=${format}`] })
    scratch.write(VERSION_1)
    const first = scratch.commit('one')
    await deploy(scratch, { id: 'd1', hosts: ['web1', 'web2'] })
    scratch.write({ 'prod/web1/nginx/nginx.conf': 'two\n' })
    scratch.commit('two')
    const { commits } = await deploy(scratch, { id: 'd2', hosts: ['web1'] })

    assert.equal(
      scratch.git('log', '--first-parent', '--format=%s', 'refs/deptool'),
      'deploy d2\ndeploy d1\nbegin the history of the fleet',
    )
    assert.deepEqual(scratch.git('log', '--format=%s', 'refs/deptool').split('\n').sort(), [
      'begin the history of the fleet',
      'deploy d1',
      'deploy d1 to web1',
      'deploy d1 to web2',
      'deploy d2',
      'deploy d2 to web1',
    ])
    assert.equal(
      scratch.git('log', '--format=%s', 'refs/deptool/web1'),
      'deploy d2 to web1\ndeploy d1 to web1',
    )
    assert.equal(scratch.git('show', 'refs/deptool:web1/nginx/nginx.conf'), 'two')
    assert.equal(scratch.git('show', 'refs/deptool:web2/nginx/nginx.conf'), 'one')
    assert.equal(scratch.git('diff', 'refs/deptool', 'HEAD:prod'), '')
    assert.match(scratch.git('diff', 'refs/deptool/web1', `${first}:prod/web1`), /-two\n\+one$/)
    assert.equal(scratch.git('fsck', '--strict', '--no-dangling'), '')
    assert.equal(
      scratch
        .git('cat-file', 'commit', commits.get(host('web1'))!)
        .split('\n\n')
        .slice(1)
        .join('\n\n'),
      [
        'deploy d2 to web1',
        'nginx: update',
        `Deptool-Cluster: prod\nDeptool-Source: ${scratch.git('rev-parse', 'HEAD')}\nDeptool-Deployment: d2`,
      ].join('\n\n'),
    )
  })

test('git finds refs/deptool without a warning, packed or loose', async t => {
  const scratch = makeScratch(t)
  scratch.write(VERSION_1)
  scratch.commit('one')
  const { fleet } = await deploy(scratch, { id: 'd1', hosts: ['web1', 'web2'] })
  const repo = await scratch.open()
  for (const pack of [false, true]) {
    if (pack) scratch.git('pack-refs', '--all')
    const { stdout, stderr } = await git(repo, ['log', '-1', '--format=%H', 'refs/deptool'])
    assert.deepEqual({ out: `${stdout}`, stderr }, { out: `${fleet}\n`, stderr: '' })
  }
})

test('the commit names the operator and what it was made of', async t => {
  const scratch = makeScratch(t)
  scratch.write(VERSION_1)
  const commit = scratch.commit('one')
  const repo = await scratch.open(scratch.dir, {
    GIT_AUTHOR_NAME: 'Zoë Ü',
    GIT_AUTHOR_DATE: '1700000000 +0200',
  })
  assert.equal(await readOperator(repo), 'Zoë Ü <ada@example.org>')
  const tree = (await snapshotRevision(repo, 'HEAD', 'prod', scratch.reader(repo))).hosts[0]!.tree
  const sources = [
    [{ kind: 'worktree', commit, branch: 'main', dirty: false }, commit],
    [{ kind: 'worktree', commit, branch: 'main', dirty: true }, `${commit}+dirty`],
    [{ kind: 'worktree', commit: null, branch: 'main', dirty: true }, 'none+dirty'],
  ] as const
  const commits = await commitHosts(
    repo,
    sources.map(([source], i) => ({
      host: host(`web${i}`),
      tree,
      parent: null,
      cluster: prod,
      source,
      deployment: 'd1' as DeploymentId,
      subject: 'größer',
      body: '',
    })),
  )
  for (const [i, [, expected]] of sources.entries()) {
    const format = '--format=%an <%ae> %ad|%s|%b'
    assert.equal(
      scratch.git('show', '--no-patch', '--date=raw', format, commits.get(host(`web${i}`))!),
      `Zoë Ü <ada@example.org> 1700000000 +0200|größer|Deptool-Cluster: prod\nDeptool-Source: ${expected}\nDeptool-Deployment: d1`,
    )
  }
})

test('a date that git cannot read is no lack of a name', async t => {
  const scratch = makeScratch(t)
  const repo = await scratch.open(scratch.dir, { GIT_AUTHOR_DATE: 'some day' })
  await assert.rejects(readOperator(repo), { message: "cannot run 'git var': invalid date format: some day" })
})

test('an operator whom git does not know is told what to do', async t => {
  const scratch = makeScratch(t)
  scratch.git('config', 'user.useConfigOnly', 'true')
  const nobody = { GIT_AUTHOR_NAME: undefined, GIT_AUTHOR_EMAIL: undefined }
  await assert.rejects(readOperator(await scratch.open(scratch.dir, nobody)), {
    message: 'cannot record a deployment: Git does not know who you are',
    hint: /git config --global user\.email/,
  })
})

test('a fleet of two hundred is committed at once', async t => {
  const scratch = makeScratch(t)
  const names = Array.from({ length: 200 }, (_, i) => `web${i}`)
  scratch.write(Object.fromEntries(names.map(name => [`prod/${name}/app/file`, name])))
  scratch.commit('one')
  await deploy(scratch, { id: 'd1', hosts: names })
  const tracked = await readTracking(await scratch.open())
  assert.equal(tracked.size, 200)
  assert.equal(scratch.git('rev-list', '--count', 'refs/deptool'), '202')
  assert.equal(scratch.git('fsck', '--strict', '--no-dangling'), '')
})
