/** Two clones and a hub: what a colleague has deployed is not undone unawares. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { LocalHost } from '../support/local-host.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld, type World } from '../support/world.ts'

type Person = World<LocalHost>

const TREE = { 'web1/a/x': 'one\n', 'web1/a/y': 'y\n', 'web1/b/z': 'z\n', 'web2/a/x': 'one\n' }

/** All have deployed and know everything. */
async function makeTeam(t: TestContext): Promise<{ bob: Person; nina: Person; hub: string }> {
  const ada = await makeWorld(t, TREE)
  const hub = join(ada.repo, '../../hub.git')
  await ada.git('clone', '--quiet', '--bare', '.', hub)
  const [bob, nina] = [await ada.colleague('Bob'), await ada.colleague('Nina')]
  for (const one of [bob, nina]) await one.git('remote', 'set-url', 'origin', hub)
  await bob.deploy()
  await sync(nina)
  return { bob, nina, hub }
}

async function sync(person: Person): Promise<void> {
  await person.run('sync', 'prod').stdout(anything)
}

/** Bob deploys a change to web1/a/x. */
async function fix(bob: Person, { push = true, deploy = true } = {}): Promise<string> {
  bob.write({ 'web1/a/x': 'fixed\n' })
  const commit = await bob.commit('fix zone')
  if (push) await bob.git('push', '--quiet', 'origin', 'HEAD')
  if (deploy) await bob.deploy()
  return commit
}

function running(person: Person, file = 'a/current/x'): string {
  return person.host('web1').read(`/var/lib/deptool/apps/${file}`)
}

/** Nothing that the plan says is of a colleague's work. */
async function assertNoFinding(person: Person, ...args: string[]): Promise<void> {
  const { stdout } = await person.execute(['git', 'deploy', 'plan', 'prod', ...args, '--json'])
  const [plan] = stdout.split('\n')
  assert.deepEqual(JSON.parse(plan!).takenBack, [])
}

const FINDING = `web1 runs <oid> by Bob (fix zone), which main does not contain: 1 file is
taken back
hint: run 'git pull', or merge the commit, to keep the changes
`

test('a fix that was not pulled is marked, and not taken back without --force', async t => {
  const { bob, nina } = await makeTeam(t)
  await fix(bob)
  // She has not heard of it, is told, and does as the hint says.
  nina.write({ 'web1/a/y': 'of Nina\n' })
  await nina
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(/run the same command again/)
  await nina
    .run('plan', 'prod')
    .stdout(
      /\n\nweb1 runs <oid> by Bob, which is not in this repository\nhint: run 'git fetch' to find out what is taken back\n$/,
    )
  await nina.git('fetch', '--quiet')
  const plan = `prod from the working tree (main <oid>, with uncommitted changes)

web1
    update a
        ~ x  taken back
        ~ y

${FINDING}`
  await nina.run('plan', 'prod').stdout(plan)
  await nina
    .run('prod', '--yes')
    .exits(1)
    .stdout(`${plan}\n`)
    .stderr(
      "fatal: cannot deploy 'prod': changes by Bob on web1 would be taken back\nhint: run 'git pull', or merge the commit, to keep the changes\nhint: to take them back, add --force\n",
    )
  await nina.run('status', 'prod').stdout(new RegExp(`${FINDING.replace(/[()]/g, '\\$&')}$`))
  await nina
    .runInTerminal(['prod'], [[/by\s+itself. \[y\/N\/d\]/, 'n\r']])
    .exits(3)
    .stdout(/taken back/)
  // Work of her own is on it: there is no newer commit that would supersede that.
  await nina
    .run('prod', '--yes', '--wait')
    .exits(1)
    .stdout(anything)
    .stderr(/would be taken back/)
  assert.equal(running(nina), 'fixed\n')

  const { stdout } = await nina.execute(['git', 'deploy', 'plan', 'prod', '--json'])
  const [{ source, ...found }] = JSON.parse(stdout.split('\n')[0]!).takenBack
  assert.deepEqual(found, {
    host: 'web1',
    kind: 'newer',
    by: 'Bob',
    subject: 'fix zone',
    files: [{ app: 'a', path: 'x' }],
  })
  assert.equal(source, await bob.git('rev-parse', 'HEAD'))

  await nina.git('pull', '--quiet')
  await assertNoFinding(nina)
  await nina.deploy()
  assert.equal(running(nina), 'fixed\n')
  await nina.run('prod', 'HEAD~1', '--yes', '--force').stdout(anything).stderr(anything)
  assert.equal(running(nina), 'one\n')
})

test('what a colleague has removed, or added, is taken back too', async t => {
  const { bob, nina } = await makeTeam(t)
  bob.remove('web1/b', 'web1/a/y')
  bob.write({ 'web1/a/new': 'new\n' })
  await bob.commit()
  await bob.deploy()
  await sync(nina)
  await nina.git('fetch', '--quiet', bob.repo)
  await nina
    .run('plan', 'prod')
    .stdout(/\+ y {2}taken back\n[\s\S]*\+ z {2}taken back\n[\s\S]*: 3 files are\s+taken back\n/)
})

test("one's own amended, rebased and dirty deployments are no finding", async t => {
  const { bob, nina } = await makeTeam(t)
  await fix(bob, { push: false })
  bob.write({ 'web1/a/x': 'amended\n' })
  await bob.git('commit', '--quiet', '--all', '--amend', '--no-edit')
  await assertNoFinding(bob)
  await bob.git('reset', '--quiet', '--hard', 'HEAD~1')
  await nina.git('commit', '--quiet', '--allow-empty', '--message', 'elsewhere')
  await nina.git('push', '--quiet', 'origin', 'HEAD')
  await bob.git('pull', '--quiet', '--rebase')
  await assertNoFinding(bob)
  bob.write({ 'web1/a/x': 'dirty\n' })
  await bob.deploy()
  await bob.git('checkout', '--quiet', '.')
  await assertNoFinding(bob)
})

test('a squash merge, a rebase and a cherry-pick contain the change', async t => {
  const { bob, nina } = await makeTeam(t)
  await bob.git('checkout', '--quiet', '-b', 'topic')
  await fix(bob)
  await sync(nina)
  await nina.git('fetch', '--quiet')
  await nina.run('plan', 'prod').stdout(/taken back/)
  for (const take of [
    ['merge', '--quiet', '--squash', 'origin/topic'],
    ['cherry-pick', 'origin/topic'],
  ]) {
    await nina.git(...take)
    await nina.git('commit', '--quiet', '--allow-empty', '--message', 'taken over')
    // And something after it.
    nina.write({ 'web1/a/x': 'fixed better\n' })
    await nina.commit()
    await assertNoFinding(nina)
    await nina.git('reset', '--quiet', '--hard', 'origin/main')
  }
  await nina.git('commit', '--quiet', '--allow-empty', '--message', 'elsewhere')
  await nina.git('push', '--quiet', 'origin', 'HEAD')
  await bob.git('pull', '--quiet', '--rebase', 'origin', 'main')
  await bob.git('push', '--quiet', '--force', 'origin', 'topic')
  await nina.git('fetch', '--quiet')
  await nina.git('merge', '--quiet', 'origin/topic')
  nina.write({ 'web1/a/x': 'fixed better\n' })
  await nina.commit()
  await assertNoFinding(nina)
})

test('a commit that a colleague has not pushed stops too, and so do uncommitted changes', async t => {
  const { bob, nina } = await makeTeam(t)
  await fix(bob, { push: false })
  await sync(nina)
  await nina
    .run('prod', '--yes')
    .exits(1)
    .stdout(/\nweb1 runs <oid> by Bob, which is not in this repository\n/)
    .stderr(
      "fatal: cannot deploy 'prod': changes by Bob on web1 might be taken back\nhint: run 'git fetch' to find out what is taken back\nhint: to take them back, add --force\n",
    )
  await bob.git('push', '--quiet', 'origin', 'HEAD')
  await nina.git('pull', '--quiet')
  bob.write({ 'web1/a/y': 'of Bob, uncommitted\n' })
  await bob.deploy()
  await sync(nina)
  nina.write({ 'web1/a/x': 'of Nina\n' })
  await nina
    .run('prod', '--yes')
    .exits(1)
    .stdout(
      /~ x\n {8}~ y {2}taken back\n\nweb1 runs uncommitted changes by Bob to <oid> \(fix zone\): 1 file is\s+taken back\n/,
    )
    .stderr(/\nhint: ask Bob to commit and push the changes\n/)
  await bob.commit()
  await bob.git('push', '--quiet', 'origin', 'HEAD')
  await nina.git('checkout', '--quiet', '.')
  await nina.git('pull', '--quiet')
  await assertNoFinding(nina)
})

test('each app is judged by the deployment that changed it last', async t => {
  const { bob, nina } = await makeTeam(t)
  await fix(bob)
  await sync(nina)
  await nina.git('checkout', '--quiet', '-b', 'old')
  await nina.git('checkout', '--quiet', 'main')
  await nina.git('pull', '--quiet')
  // The newest deployment is her own, of another app.
  nina.write({ 'web1/b/z': 'of Nina\n' })
  await nina.commit()
  await nina.deploy()
  await nina.git('checkout', '--quiet', 'old')
  nina.write({ 'web1/b/z': 'of Nina again\n' })
  await nina.commit()
  await nina
    .run('plan', 'prod')
    .stdout(/~ x {2}taken back\n[\s\S]*~ z\n\nweb1 runs <oid> by Bob \(fix zone\), which old/)
})

test('a pipeline does not put an older commit back, and ends as superseded while it waits', async t => {
  const { bob: pipeline } = await makeTeam(t)
  await fix(pipeline)
  await pipeline
    .run('prod', 'HEAD~1', '--yes')
    .exits(1)
    .stdout(/\nweb1 runs <oid> by Bob \(fix zone\), which HEAD~1 does not contain: 1 file is\s+taken back\n/)
    .stderr(/^fatal: cannot deploy 'prod': changes by Bob on web1 would be taken back\n/)
  await pipeline
    .run('prod', 'HEAD~1', '--yes', '--wait')
    .stdout(anything)
    .stderr("superseded: the hosts of 'prod' run a newer commit already; nothing was changed\n")
  assert.equal(running(pipeline), 'fixed\n')
  // Two of its jobs in their order.
  pipeline.write({ 'web2/a/x': 'next\n' })
  await pipeline.commit()
  await pipeline.run('prod', 'HEAD', '--yes', '--wait').stdout(anything).stderr(anything)
})

test('in a shallow clone without the commit nothing can be known, which is a note', async t => {
  const { bob, nina, hub } = await makeTeam(t)
  await fix(bob)
  for (const line of ['next\n', 'and next\n']) {
    bob.write({ 'web1/a/y': line })
    await bob.commit()
  }
  await bob.git('push', '--quiet', 'origin', 'HEAD')
  await sync(nina)
  await nina.git('fetch', '--quiet', '--depth=1', `file://${hub}`, 'main')
  await nina.git('checkout', '--quiet', 'FETCH_HEAD')
  await nina.git('update-ref', '-d', 'refs/heads/main')
  await nina.git('update-ref', '-d', 'refs/remotes/origin/main')
  await nina.git('update-ref', '-d', 'refs/remotes/origin/HEAD')
  await nina.git('reflog', 'expire', '--expire=now', '--all')
  await nina.git('gc', '--quiet', '--prune=now')
  await nina
    .run('prod', 'HEAD', '--yes')
    .stdout(
      /\nweb1 runs <oid> by Bob, which this shallow clone does not have: what is taken\s+back is not known\nhint: run 'git fetch --deepen=<n>' to find out what is taken back\n/,
    )
    .stderr(anything)
})

test('a staging cluster is deployed from branches', async t => {
  const { bob, nina } = await makeTeam(t)
  await bob.git('checkout', '--quiet', '-b', 'bobs')
  await fix(bob)
  await nina.git('checkout', '--quiet', '-b', 'ninas')
  nina.write({ 'web1/a/y': 'of Nina\n' })
  await nina.commit()
  await nina.git('fetch', '--quiet')
  await sync(nina)
  await nina
    .run('prod', '--yes')
    .exits(1)
    .stdout(/which ninas does not contain/)
    .stderr(anything)
  await nina.git('merge', '--quiet', '--no-edit', 'origin/bobs')
  await assertNoFinding(nina)
  await nina.deploy()
  await sync(bob)
  // Hers is not his; his own he may take back.
  await bob.git('fetch', '--quiet', nina.repo, 'ninas')
  await bob.git('checkout', '--quiet', 'main')
  await bob.run('plan', 'prod').stdout(/~ x {2}taken back\n {8}~ y {2}taken back\n/)
})

test('rollbacks, repairs and saved plans are decisions of their own', async t => {
  const { bob, nina } = await makeTeam(t)
  nina.write({ 'web1/a/y': 'of Nina\n' })
  await nina.commit()
  await nina.run('plan', 'prod', '-o', 'saved').stdout(anything).stderr(anything)
  await nina.run('apply', '--yes', 'saved').stdout(anything).stderr(anything)
  await sync(bob)
  await bob.run('rollback', '--yes', 'web1').stdout(anything).stderr(anything)
  assert.equal(running(bob, 'a/current/y'), 'y\n')
  await nina.run('sync', 'prod').stdout(anything)
  await nina.run('--repair', 'prod', '--yes').stdout(anything).stderr(anything)
  // What a repair has deployed came from where the deployment before it came from.
  await fix(bob)
  writeFileSync(join(bob.host('web1').directory, 'var/lib/deptool/apps/a/current/x'), 'edited there\n')
  await bob.run('--repair', 'prod', '--yes').stdout(anything).stderr(anything)
  await sync(nina)
  await nina.git('fetch', '--quiet')
  await nina.run('plan', 'prod').stdout(/~ x {2}taken back\n/)
})
