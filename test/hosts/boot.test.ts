import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { execute, type Ran } from '../support/execute.ts'
import { waitFor } from '../support/wait-for.ts'
import { bootHosts } from './boot.ts'
import { realHosts } from './real-hosts.ts'
import type { TestHost } from './test-host.ts'

test('a host has its name, a running systemd and an sshd', realHosts, async t => {
  const [web1] = await bootHosts(t, ['web1'])
  assert(web1)
  assert.equal(web1.read('/etc/hostname'), 'web1\n')
  assert.deepEqual(await login(web1, 'root', 'hostname; systemctl is-system-running'), ok('web1\nrunning\n'))
})

test('what the packages bring is stopped and disabled', realHosts, async t => {
  const [web1] = await bootHosts(t, ['web1'])
  for (const name of ['nginx.service', 'nsd.service']) {
    const { active, enabled } = await web1!.unit(name)
    assert.deepEqual({ name, active, enabled }, { name, active: 'inactive', enabled: 'disabled' })
  }
})

test('deploy has sudo without a password, nosudo has not', realHosts, async t => {
  const [web1] = await bootHosts(t, ['web1'])
  assert.deepEqual(await login(web1!, 'deploy', 'sudo -n id -un'), ok('root\n'))
  assert.match((await login(web1!, 'nosudo', 'sudo -n id -un')).stderr, /a password is required/)
})

test('hosts booted together are apart', realHosts, async t => {
  const hosts = await bootHosts(t, ['web1', 'web2', 'dns1', 'dns2'])
  assert.equal(new Set(hosts.map(host => host.address)).size, 4)
  await hosts[0]!.output('touch /etc/mine; systemctl start nsd.service')
  assert.deepEqual(
    hosts.map(host => host.exists('/etc/mine')),
    [true, false, false, false],
  )
  assert.equal((await hosts[1]!.unit('nsd.service')).active, 'inactive')
})

test('a host goes down and comes back', realHosts, async t => {
  const [web1] = await bootHosts(t, ['web1'])
  await web1!.output('echo mine >/etc/mine; systemctl --quiet enable --now nsd.service')
  await t.test('as it was after a reboot', async () => {
    await web1!.reboot()
    assert.equal(web1!.read('/etc/mine'), 'mine\n')
    assert.equal((await web1!.unit('nsd.service')).active, 'active')
  })
  await t.test('as it was after a power cut', async () => {
    await web1!.powerCut()
    assert.equal(web1!.read('/etc/mine'), 'mine\n')
    assert.equal((await web1!.unit('nsd.service')).active, 'active')
  })
  await t.test('pristine after a reset', async () => {
    await web1!.reset()
    assert.equal(web1!.exists('/etc/mine'), false)
    assert.equal((await web1!.unit('nsd.service')).enabled, 'disabled')
    assert.deepEqual(await login(web1!, 'root', 'hostname'), ok('web1\n'))
  })
})

test('a host in an image loses with the power what was not synced', realHosts, async t => {
  const [web1] = await bootHosts(t, ['web1'], { storage: 'image' })
  await web1!.output('echo synced >/etc/synced; sync -f /etc; echo lost >/etc/lost')
  await web1!.powerCut()
  assert.equal(web1!.read('/etc/synced'), 'synced\n')
  assert.equal(web1!.exists('/etc/lost'), false)
})

test('a frozen host says nothing until it thaws', realHosts, async t => {
  const [web1] = await bootHosts(t, ['web1'])
  web1!.freeze()
  const answer = login(web1!, 'root', 'echo hello')
  // Nothing shows that nothing comes.
  const first = await Promise.race([answer, new Promise(resolve => setTimeout(resolve, 500, 'silence'))])
  assert.equal(first, 'silence')
  web1!.thaw()
  assert.deepEqual(await answer, ok('hello\n'))
})

test('nothing is left of a host whose test run was killed', realHosts, async () => {
  const boot = new URL('boot.ts', import.meta.url)
  const script = `
    import { bootHosts } from '${boot}'
    const [host] = await bootHosts({ after() {} }, ['web1'])
    console.log(host.address)
    process.kill(process.pid, 'SIGKILL')`
  const { stdout, stderr, code } = await execute([
    'node',
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    script,
  ])
  assert.equal(code, 'SIGKILL', stderr)
  const state = `/run/git-deploy-hosts/${stdout.trim().split('.')[3]}`
  await waitFor('its processes to be gone', () => !existsSync(`${state}/cgroup`))
  const lock = await execute(['flock', '--wait', '10', `${state}/lock`, 'true'])
  assert.equal(lock.code, 0)
})

function login(host: TestHost, user: string, command: string): Promise<Ran> {
  const known = [
    '-o',
    'StrictHostKeyChecking=no',
    '-o',
    'UserKnownHostsFile=/dev/null',
    '-o',
    'LogLevel=ERROR',
  ]
  const target = ['-p', String(host.port), `${user}@${host.address}`]
  return execute(['ssh', '-F', 'none', '-i', host.keyFile, ...known, ...target, command])
}

function ok(stdout: string): Ran {
  return { stdout, stderr: '', code: 0 }
}
