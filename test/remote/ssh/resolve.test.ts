import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { hostName, must } from '../../../src/plan/names.ts'
import type { SshAddress } from '../../../src/remote/ssh/address.ts'
import { resolveHost } from '../../../src/remote/ssh/resolve.ts'
import type { Env } from '../../../src/remote/transport.ts'
import { temporaryDirectory } from '../temporary.ts'

const host = must(hostName, 'web1')
const home = userInfo().homedir

/** An environment in which ssh has this configuration. */
function configured(t: TestContext, config: string): Env {
  const directory = temporaryDirectory(t)
  writeFileSync(join(directory, 'config'), config)
  const ssh = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim()
  writeFileSync(join(directory, 'ssh'), `#!/bin/sh\nexec ${ssh} -F ${join(directory, 'config')} "$@"\n`, {
    mode: 0o755,
  })
  return { PATH: `${directory}:${process.env['PATH']}`, SSH_AUTH_SOCK: '/agent', MINE: '/mine' }
}

async function ssh(t: TestContext, config: string, url: string | null = null): Promise<SshAddress> {
  const address = await resolveHost(host, url, configured(t, config))
  assert.equal(address.kind, 'ssh')
  return address as SshAddress
}

test('what ~/.ssh/config says', async t => {
  const address = await ssh(
    t,
    `Host web1
       HostName 10.0.0.7
       Port 2222
       User ada
       IdentityFile ~/keys/%h
       IdentityFile \${MINE}/%r@%n
       IdentityAgent ~/agent
       IdentitiesOnly yes
       UserKnownHostsFile ~/kh /etc/kh
       StrictHostKeyChecking accept-new
       ConnectTimeout 3
       AddressFamily inet6
       Ciphers aes256-ctr`,
  )
  assert.equal(address.hostname, '10.0.0.7')
  assert.equal(address.port, 2222)
  assert.equal(address.user, 'ada')
  assert.deepEqual(address.identities, {
    files: [`${home}/keys/10.0.0.7`, '/mine/ada@web1'],
    only: true,
    agent: `${home}/agent`,
  })
  assert.deepEqual(address.hostKeys.userFiles, [`${home}/kh`, '/etc/kh'])
  assert.equal(address.hostKeys.name, '[10.0.0.7]:2222')
  assert.equal(address.hostKeys.fallback, '10.0.0.7')
  assert.equal(address.hostKeys.unknown, 'accept')
  assert.equal(address.hostKeys.changed, 'refuse')
  assert.equal(address.connectTimeoutMs, 3000)
  assert.equal(address.family, 6)
  assert.deepEqual(address.algorithms.cipher, ['aes256-ctr'])
  assert.deepEqual(address.opensshOnly, [])
})

test('an alias names the host key, without a port', async t => {
  const { hostKeys } = await ssh(t, 'Host web1\n Port 2222\n HostKeyAlias Fleet')
  assert.equal(hostKeys.name, 'fleet')
  assert.equal(hostKeys.fallback, undefined)
})

test('a URL takes the place of the name, and the rest is still asked for', async t => {
  const address = await ssh(t, 'Host 10.9.9.9\n IdentityFile /k\n User nobody', 'ssh://root@10.9.9.9:2022')
  assert.equal(address.hostname, '10.9.9.9')
  assert.equal(address.user, 'root')
  assert.equal(address.port, 2022)
  assert.deepEqual(address.identities.files, ['/k'])
  assert.equal((await ssh(t, '', 'ssh://[::1]:23')).hostname, '::1')
})

test('a URL may be a directory', async () => {
  assert.deepEqual(await resolveHost(host, 'local:/srv/root', {}), { kind: 'local', host, root: '/srv/root' })
})

for (const url of [
  'http://web1',
  'local:relative',
  'ssh://',
  'ssh://a b',
  'ssh://-x',
  'ssh://web1/path',
  'ssh://$(x)',
]) {
  test(`'${url}' is no URL of ours`, async () => {
    await assert.rejects(resolveHost(host, url, process.env), {
      kind: 'unresolved',
      message: `cannot read the address '${url}'`,
    })
  })
}

for (const line of [
  'ProxyJump jump',
  'ProxyCommand nc %h %p',
  'CertificateFile /c',
  'KnownHostsCommand /bin/x',
  'PubkeyAuthentication no',
  'RequiredRSASize 3072',
]) {
  test(`only the ssh program can do '${line}'`, async t => {
    const { opensshOnly } = await ssh(t, `Host web1\n ${line}`)
    assert.deepEqual(opensshOnly, [line.split(' ')[0]!.toLowerCase()])
  })
}

test('no agent', async t => {
  assert.equal((await ssh(t, 'IdentityAgent none')).identities.agent, undefined)
  assert.equal((await ssh(t, 'IdentityAgent SSH_AUTH_SOCK')).identities.agent, '/agent')
  assert.equal((await ssh(t, 'IdentityAgent $MINE')).identities.agent, '/mine')
})

test('a configuration that ssh refuses', async t => {
  await assert.rejects(ssh(t, 'Nonsense yes'), {
    kind: 'unresolved',
    message: /^cannot use the SSH configuration/,
  })
})

test('without an ssh program, its defaults', async () => {
  const address = await resolveHost(host, 'ssh://ada@web1:2022', { PATH: '/nowhere' })
  assert.equal(address.kind, 'ssh')
  const { identities, hostKeys, user, port, hostname } = address as SshAddress
  assert.deepEqual([user, hostname, port], ['ada', 'web1', 2022])
  assert.ok(identities.files.includes(`${home}/.ssh/id_ed25519`))
  assert.deepEqual(hostKeys.userFiles, [`${home}/.ssh/known_hosts`])
  assert.equal(hostKeys.unknown, 'ask')
})
