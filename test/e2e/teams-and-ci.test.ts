/** What docs/teams-and-ci.md tells to type, typed as it is there. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parsePage } from '../support/console-page.ts'
import { makeWorld } from '../support/world.ts'

const PAGE = readFileSync(new URL('../../docs/teams-and-ci.md', import.meta.url), 'utf8')
const TREE = { 'web1/a/x': 'one\n' }

/** The lines of the first block below a heading. */
function typedBelow(heading: string): string[] {
  const [, block = ''] = /```sh\n([\s\S]*?)```/.exec(PAGE.slice(PAGE.indexOf(heading))) ?? []
  return block.trim().split('\n')
}

/** Ada and Bob have clones of what lies on a server. */
async function team(t: TestContext) {
  const ada = await makeWorld(t, TREE)
  const server = join(ada.home, 'server.git')
  await ada.git('clone', '--quiet', '--bare', '.', server)
  await ada.git('remote', 'add', 'origin', server)
  const bob = await ada.colleague('Bob')
  await bob.git('remote', 'set-url', 'origin', server)
  return { ada, bob }
}

test('tracking refs travel through the server', async t => {
  const { ada, bob } = await team(t)
  const [push, fetch, always] = parsePage(PAGE).flatMap(piece =>
    typeof piece === 'string' ? [] : piece.map(({ command }) => command),
  )
  const sh = async (who: typeof ada, command: string, code = 0) => {
    const ran = await who.execute(['sh', '-c', command])
    assert.equal(ran.code, code, ran.stderr)
  }
  await ada.deploy()
  await sh(ada, push!)
  await sh(bob, fetch!)
  await bob.run('plan', 'prod').stdout('prod is up to date (1 host)\n')

  bob.write({ 'web1/a/x': 'two\n' })
  await bob.deploy()
  ada.write({ 'web1/a/x': 'three\n' })
  await ada
    .run('prod', '--yes')
    .exits(1)
    .stdout(/update a/)
    .stderr(/Author: Bob/)
  await ada.deploy()
  await sh(ada, push!)
  await sh(bob, push!, 1)
  await sh(bob, always!)
  await sh(bob, 'git fetch')
  assert.equal(
    await bob.git('rev-parse', 'refs/deptool/web1'),
    await ada.git('rev-parse', 'refs/deptool/web1'),
  )
  await sh(bob, push!)
})

test('the jobs of a pipeline', async t => {
  const { ada, bob } = await team(t)
  await ada.deploy()
  const [deploy, propose] = [typedBelow('## From a pipeline'), typedBelow('### A plan that a colleague')]
  const job = async (lines: readonly string[], codes: readonly number[]) => {
    bob.write({ 'web1/a/x': `${lines[0]}\n` })
    await bob.commit()
    const ended = []
    for (const line of lines) ended.push((await bob.execute(['sh', '-c', line])).code)
    assert.deepEqual(ended, codes)
    assert.equal(bob.host('web1').read('/var/lib/deptool/apps/a/current/x'), `${lines[0]}\n`)
  }
  await job(deploy, [0, 0, 2, 0])
  await job(propose, [0, 0])
})

test('a plan in a merge request needs no way to the hosts, also in a shallow clone', async t => {
  const { ada, bob } = await team(t)
  await ada.deploy()
  await ada.git('push', '--quiet', 'origin', 'refs/deptool/*:refs/deptool/*')
  ada.write({ 'web1/a/x': 'two\n' })
  await ada.commit()
  await ada.commit('and another')
  await ada.git('push', '--quiet', 'origin', 'main')
  const server = await bob.git('remote', 'get-url', 'origin')
  await bob.git('clone', '--quiet', '--depth=1', `file://${server}`, 'shallow')
  const typed = typedBelow('### A plan in a merge request').join('\n')
  const nowhere = 'git config --global deptool-host.web1.url local:/nowhere && cd shallow && '
  const { code, stdout } = await bob.execute(['sh', '-ec', `${nowhere}${typed}`])
  assert.equal(code, 0)
  assert.match(bob.normalise(stdout), /^prod from HEAD \(<oid>\)\n\nweb1\n {4}update a\n {8}~ x\n/)
})

test('the shell prompt says how many hosts are not up to date', async t => {
  const { ada } = await team(t)
  const [, typed = ''] = /(deploy_prompt\(\) \{[\s\S]*?\n\}\n)/.exec(PAGE) ?? []
  const prompt = async () => (await ada.execute(['sh', '-c', `${typed}deploy_prompt`])).stdout
  assert.equal(await prompt(), 'prod:1\n')
  await ada.deploy()
  assert.equal(await prompt(), '')
})

test('settings that a team shares', async t => {
  const { ada } = await team(t)
  await ada.deploy()
  for (const line of typedBelow('## Shared settings'))
    assert.equal((await ada.execute(['sh', '-c', line])).code, 0, line)
  await ada.run('plan').stdout('prod is up to date (1 host)\n')
  assert.equal(await ada.git('config', 'deptool.atomic'), 'true')
})
