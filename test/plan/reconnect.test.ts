import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_HOST } from '../../src/plan/host-state.ts'
import { needsReconnect } from '../../src/plan/reconnect.ts'
import { stateOf } from '../support/tree-builder.ts'

const app = (manifest: object, content = '', more = {}) =>
  stateOf({ 'app/file': content, 'app/manifest.json': JSON.stringify(manifest), ...more })
const linkedTo = (path: string, content = '') => app({ symlinks: { [path]: 'file' } }, content)
const enabling = (unit: string) => app({ systemd: { units_enabled: [unit] } })

for (const path of [
  '/etc/ssh/sshd_config.d/x.conf',
  '/root/.ssh/authorized_keys',
  '/root/.ssh',
  '/root/.bashrc',
  '/home/ops/.config/fish/config.fish',
  '/etc/bash.bashrc',
  '/etc/environment',
  '/etc/sudoers.d/ops',
  '/etc/pam.d/sshd',
  '/etc/nftables.conf',
  '/etc/iptables/rules.v4',
  '/etc/ufw/user.rules',
  '/etc/network/interfaces.d/eth0',
  '/etc/netplan/01.yaml',
  '/etc/systemd/network/10-eth0.network',
  '/etc/resolv.conf',
  '/etc/nsswitch.conf',
  '/etc/hosts.allow',
  '/etc/wireguard/wg0.conf',
])
  test(`a link at ${path} may cut the operator off`, () => {
    assert.deepEqual(needsReconnect(EMPTY_HOST, linkedTo(path)), [path])
    assert.deepEqual(needsReconnect(linkedTo(path), EMPTY_HOST), [path])
    // The link stays, and what is behind it changes.
    assert.deepEqual(needsReconnect(linkedTo(path), linkedTo(path, 'two')), [path])
    assert.deepEqual(needsReconnect(linkedTo(path), linkedTo(path)), [])
  })

for (const unit of [
  'ssh.service',
  'sshd.service',
  'ssh.socket',
  'nftables.service',
  'wg-quick@wg0.service',
  'systemd-networkd.service',
])
  test(`${unit} may cut the operator off`, () => {
    assert.deepEqual(needsReconnect(EMPTY_HOST, enabling(unit)), [unit])
  })

test('a drop-in for sshd counts as sshd', () => {
  const dropIn = app({}, '', { 'app/systemd/ssh.service.d/limits.conf': '[Service]' })
  assert.deepEqual(needsReconnect(EMPTY_HOST, dropIn), ['ssh.service'])
})

for (const harmless of [
  linkedTo('/etc/nginx/nginx.conf'),
  linkedTo('/root/.vimrc'),
  enabling('nginx.service'),
  enabling('ssh-agent-proxy.service'),
])
  test(`${harmless.apps[0]!.manifest.unitsEnabled[0] ?? harmless.apps[0]!.manifest.symlinks[0]!.path} cuts nobody off`, () => {
    assert.deepEqual(needsReconnect(EMPTY_HOST, harmless), [])
  })
