/** Hosts behind a jump host: its ssh is another one, which would ask on the terminal that shows the progress. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import { makeWorld } from '../support/world.ts'

/** web1 behind web2. */
async function jumpingWorld(t: TestContext) {
  const world = await makeWorld(t, { 'web1/a/x': 'one\n' }, { hosts: 'real', moreHosts: ['web2'] })
  const config = join(world.home, '.ssh/config')
  writeFileSync(config, `Host web1\n  ProxyJump web2\n${readFileSync(config, 'utf8')}`)
  return world
}

test('a deployment through a jump host', realHosts, async t => {
  const world = await jumpingWorld(t)
  await world.deploy()
  assert.equal(world.host('web1').read('/var/lib/deptool/apps/a/current/x'), 'one\n')
})

test(
  'a jump host whose key is unknown is told, and never asked about below the progress',
  realHosts,
  async t => {
    const world = await jumpingWorld(t)
    const knownHosts = join(world.home, '.ssh/known_hosts')
    const known = readFileSync(knownHosts, 'utf8')
    const jump = world.host('web2').address
    writeFileSync(
      knownHosts,
      known
        .split('\n')
        .filter(line => !line.includes(`[${jump}]`))
        .join('\n'),
    )
    const before = readFileSync(knownHosts, 'utf8')
    await world
      .runInTerminal(['prod', '--yes'])
      .exits(1)
      .stdout(
        /^(?!(.|\n)*continue connecting)(.|\n)*Host key verification failed(.|\n)*connect once by hand with 'ssh web1'/,
      )
    assert.equal(readFileSync(knownHosts, 'utf8'), before)
  },
)
