/** An object that git has lost since the plan was made, over SSH: what was sent by then is not enough, and told so. */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import { makeWorld } from '../support/world.ts'

for (const transport of ['ssh2', 'openssh'])
  test(`an object that git has lost ends the upload: ${transport}`, realHosts, async t => {
    const files = Array.from({ length: 10 }, (_, i) => [
      `web1/a/${i}`,
      randomBytes(100_000).toString('base64'),
    ])
    const world = await makeWorld(t, Object.fromEntries(files), { hosts: 'real' })
    await world.git('config', 'deptool.transport', transport)
    const blob = await world.git('hash-object', 'prod/web1/a/7')
    rmSync(join(world.repo, '.git/objects', blob.slice(0, 2), blob.slice(2)))
    await world
      .run('prod', 'HEAD', '--yes')
      .exits(1)
      .stdout(/./)
      .stderr(/web1 {2}cannot read object <oid>: it is not in this repository/)
  })
