import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import type { Operator } from './operator.ts'
import { anything } from './outcome.ts'
import { makeWorld } from './world.ts'

test('an operator commits a tree, and git deploy runs in it', async t => {
  const world = await makeWorld(t, { 'web1/nginx/site.conf': 'v1' })
  standIn(world, 'echo "$@"; cat prod/web1/nginx/site.conf; git log -1 --format="%an %s" >&2')
  await world.run('plan', 'a b').stdout('plan a b\nv1').stderr('Ada first\n')
  world.write({ 'web1/nginx/site.conf': 'v2\n', 'web1/nginx/link': { symlink: 'site.conf' } })
  assert.match(await world.commit('second'), /^[0-9a-f]{40}$/)
  await world
    .run('plan')
    .stdout(/v2/)
    .stderr(/second/)
})

test('exit code 0 and silence are expected unless said otherwise', async t => {
  const world = await makeWorld(t, {})
  standIn(world, 'echo out; echo err >&2; exit 4')
  await world.run().exits(4).stdout('out\n').stderr('err\n')
  await assert.rejects(world.run().stdout('out\n').stderr('err\n'), /expected exit 0 of \$ git deploy/)
  await assert.rejects(world.run().exits(4).stdout('out\n'), /stderr of \$ git deploy/)
  await assert.rejects(world.run().exits(4).stderr(anything).stdout(/in/), /does not match/)
})

test('what varies is compared by what it is', async t => {
  const world = await makeWorld(t, {})
  standIn(world, 'echo "20261123T074502-3f9a1c0b7e at $(git rev-parse HEAD) in $(pwd) took 0.42 s, 12:30"')
  await world.run().stdout('<id> at <oid> in <dir>/ada/repo took <time>, 12:30\n')
})

test('a colleague has a clone, a name and the same hosts', async t => {
  const world = await makeWorld(t, { 'web1/nginx/site.conf': 'v1' })
  const grace = await world.colleague('Grace')
  assert.equal(await grace.git('config', 'user.name'), 'Grace')
  assert.equal(await grace.git('rev-parse', 'HEAD'), await world.git('rev-parse', 'HEAD'))
  const url = await grace.git('config', 'deptool-host.web1.url')
  assert.equal(url, `local:${world.host('web1').directory}`)
  assert.equal(grace.host('web1').read('/etc/hostname'), 'web1\n')
})

test('a terminal shows questions and takes answers', async t => {
  const world = await makeWorld(t, {})
  standIn(world, 'test -t 0 && tput cols; printf "really? "; read -r answer; echo "you said $answer"; exit 3')
  const screen = '100\nreally? yes\nyou said yes\n'
  await world
    .runInTerminal(['prod'], [['really? ', 'yes\r']])
    .exits(3)
    .stdout(screen)
  standIn(world, 'printf "really? "')
  await assert.rejects(world.runInTerminal([], [['certainly? ', 'y']]), /never showed certainly\?/)
})

test('Ctrl-C and signals reach the command', async t => {
  const world = await makeWorld(t, {})
  standIn(world, 'trap "echo interrupted; exit 7" INT; printf ready; while true; do sleep 0.1; done')
  // Git gets the Ctrl-C too: it waits for the command, and then ends by that signal whatever the command said.
  await world
    .runInTerminal([], [['ready', '\x03']])
    .exits(130)
    .stdout(/interrupted/)
  const { outcome, kill, shows } = world.start()
  const checked = outcome.exits('SIGKILL').stdout('ready')
  await shows(/ready/)
  kill('SIGKILL')
  await checked
})

test('links on a host lead to the host', async t => {
  const world = await makeWorld(t, { 'web1/nginx/site.conf': 'v1' })
  const web1 = world.host('web1')
  await world.execute(['ln', '-s', '/etc/hostname', join(web1.directory, 'var/lib/name')])
  assert.equal(web1.read('/var/lib/name'), 'web1\n')
  assert.equal(web1.readlink('/var/lib/name'), '/etc/hostname')
  assert.equal(web1.exists('/var/lib/nothing'), false)
  assert.deepEqual(web1.tree('/var/lib'), ['name -> /etc/hostname'])
})

test('real hosts answer by name, for every user, also through a relay', realHosts, async t => {
  const world = await makeWorld(
    t,
    addressOf => ({ 'web1/nginx/site.conf': `listen ${addressOf('web1')}:80;` }),
    {
      hosts: 'real',
      moreHosts: ['dns1'],
    },
  )
  assert.deepEqual(await world.execute(['ssh', 'web1', 'hostname; id -un']), ok('web1\nroot\n'))
  assert.deepEqual(await world.execute(['ssh', 'dns1', 'hostname']), ok('dns1\n'))
  const relay = await world.relay('web1')
  world.logInAs('deploy', 'web1')
  assert.deepEqual(await world.execute(['ssh', 'web1', 'hostname; id -un']), ok('web1\ndeploy\n'))
  assert.equal(relay.connections, 1)
  const config = await world.execute(['cat', 'prod/web1/nginx/site.conf'])
  assert.equal(config.stdout, `listen ${world.host('web1').address}:80;`)
})

/** `git deploy` as a shell script, so that this tests the world and not the tool. */
function standIn(operator: Operator, script: string): void {
  const program = join(operator.home, 'bin/git-deploy')
  mkdirSync(join(operator.home, 'bin'), { recursive: true })
  writeFileSync(program, `#!/bin/sh\n${script}\n`)
  chmodSync(program, 0o755)
}

function ok(stdout: string): { stdout: string; stderr: string; code: number } {
  return { stdout, stderr: '', code: 0 }
}
