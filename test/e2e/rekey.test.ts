/** A host whose sshd asks for new keys all the time, as one at its defaults does once in a GiB. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import { makeWorld } from '../support/world.ts'

for (const transport of ['ssh2', 'openssh'])
  test(`a large upload, and a large sync, while new keys are agreed on: ${transport}`, realHosts, async t => {
    const large = randomBytes(1024 * 1024).toString('base64')
    const world = await makeWorld(t, { 'web1/a/large': large }, { hosts: 'real' })
    const host = world.host('web1')
    await host.output(
      'echo "RekeyLimit 64K" >/etc/ssh/sshd_config.d/rekey.conf && systemctl reload ssh.service',
    )
    await world.git('config', 'deptool.transport', transport)
    await world.deploy()
    assert.equal(host.read('/var/lib/deptool/apps/a/current/large'), large)
    const colleague = await world.colleague('Grace')
    await colleague.git('config', 'deptool.transport', transport)
    await colleague.run('sync', 'prod').stdout(/^web1 {2}new /)
    assert.equal(await colleague.git('cat-file', 'blob', 'refs/deptool/web1:a/large'), large)
  })
