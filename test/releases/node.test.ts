/** What README promises of Node, on the oldest and, by `npm run test:all`, on every line that is maintained. */
import assert from 'node:assert/strict'
import { delimiter } from 'node:path'
import { test } from 'node:test'
import { needs } from '../support/needs.ts'
import type { Operator } from '../support/operator.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'
import { nodes } from './chosen.ts'
import { ensureNode, type NodeRelease } from './nodes.ts'

const TREE = { 'web1/www/index.html': 'one\n' }
const PAGE = '/var/lib/deptool/apps/www/current/index.html'

/** From now on the operator's programs find this Node first. */
async function use(operator: Operator, release: NodeRelease): Promise<void> {
  operator.env['PATH'] = [await ensureNode(release), operator.env['PATH']].join(delimiter)
  assert.equal((await operator.execute(['node', '--version'])).stdout, `v${release}\n`)
}

for (const release of nodes()) {
  const withNode = needs(`node ${release}`)
  const withHosts = needs(`node ${release}`, 'real hosts')

  test(`Node ${release}: commands that ask no host, and an embedded host`, withNode, async t => {
    const world = await makeWorld(t, TREE)
    await use(world, release)
    await world.run('--version').stdout(/^git-deploy version \d/)
    await world.run('-h').stdout(/^usage: git deploy /)
    await world.run('check', 'prod').stdout(anything)
    await world.run('plan', 'prod').stdout(/\n {4}add www\n/)
    await world
      .run('prod', '--yes')
      .stdout(/\ndeployed to 1 host in 'prod'/)
      .stderr(anything)
    world.write({ 'web1/www/index.html': 'two\n' })
    await world.run('diff', 'prod').stdout(/^-one\n\+two$/m)
    await world.run('status').stdout(/^web1 {2}deployed /)
    await world.run('log').stdout(/^deployment /)
    // Three times, after which the compiled code is kept: src/start.ts.
    for (const _ of [1, 2, 3]) await world.run('plan', 'prod').stdout(/~ index\.html/)
  })

  test(`Node ${release}: a host by SSH, installed and updated`, withHosts, async t => {
    const world = await makeWorld(t, TREE, { hosts: 'real' })
    await use(world, release)
    for (const transport of ['ssh2', 'openssh']) {
      await world.git('config', 'deptool.transport', transport)
      world.write({ 'web1/www/index.html': `${transport}\n` })
      await world
        .run('prod', '--yes')
        .stdout(/\ndeployed to 1 host in 'prod'/)
        .stderr(anything)
      assert.equal(world.host('web1').read(PAGE), `${transport}\n`)
    }
    await world.run('verify', 'prod').stdout('web1  ok\n')
  })
}
