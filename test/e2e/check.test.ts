/** `git deploy check`: what a hook or a CI job asks before anything is deployed. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeWorld } from '../support/world.ts'

const unit = (name: string) => JSON.stringify({ systemd: { units_enabled: [name] } }, null, 2)

test('a tree that can be deployed, and what may be a slip in it', async t => {
  const world = await makeWorld(t, {
    'web1/www/manifest.json': unit('nginx.service'),
    'web2/www/manifest.json': unit('nginx.service'),
    'web2/cron/systemd/cron.servise': '',
    'web3/nginx.conf': 'one level too high\n',
  })
  await world.run('check', 'prod').stdout(
    `note: prod/web1/www/manifest.json:3:5: no app ships 'nginx.service', so it must exist on the host (and on 1 more host)
note: prod/web2/cron/systemd/cron.servise: deployed, but not linked: 'systemd/' expects other names
note: prod/web3: the host has no apps: each app needs a directory in it
prod can be deployed (3 hosts, 3 apps, 4 notes)
`,
  )
})

const BROKEN = {
  'db1/a/manifest.json': '{"symlinks": {"/etc/x": "x"}}',
  'db1/b/manifest.json': '{"symlinks": {"/etc/x": "y"}}',
  'db1/b/y': '',
  'web1/www/manifest.json': '{\n  "systemd": {\n    "unit_enabled": []\n  }\n}\n',
  'web2/www/manifest.json': '{\n  "systemd": {\n    "unit_enabled": []\n  }\n}\n',
  'web2/www/out': { symlink: '../../../etc/passwd' },
}

const PROBLEMS = (
  prefix: string,
) => `error: ${prefix}db1/b/manifest.json:1:15: '/etc/x' is also claimed by 'a/x'
error: ${prefix}db1/a/manifest.json:1:15: there is no 'x' in the app
error: ${prefix}web1/www/manifest.json:3:5: unknown key 'unit_enabled' (and on 1 more host)
hint: did you mean 'units_enabled'?
error: ${prefix}web2/www/out: the symbolic link points outside its app, to '../../../etc/passwd'
hint: a link in an app must point to a file in this app; to make links elsewhere on the host, use the manifest's 'symlinks'
prod has 5 problems (3 hosts, 4 apps)
`

test('every problem of every host at once, with its place; the same one of several hosts once', async t => {
  const world = await makeWorld(t, BROKEN)
  await world.run('check', 'prod').exits(1).stdout(PROBLEMS('prod/'))
  await world.run('check', 'prod', 'HEAD').exits(1).stdout(PROBLEMS('HEAD:prod/'))
  const below = await world.execute(['git', '-C', 'prod/web1', 'deploy', 'check', '..'])
  assert.match(below.stdout, /^error: www\/manifest.json:3:5: unknown key/m)
})

test('a pre-commit hook judges what would be committed', async t => {
  const world = await makeWorld(t, { 'web1/a/x': '1\n' })
  const hook = join(world.repo, '.git/hooks/pre-commit')
  writeFileSync(hook, '#!/bin/sh\nexec git deploy check --staged prod >&2\n', { mode: 0o755 })
  world.write({ 'web1/a/manifest.json': '{' })
  await world.git('add', '.')
  world.write({ 'web1/a/manifest.json': '{}' })
  const refused = await world.execute(['git', 'commit', '-m', 'broken'])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /^error: :prod\/web1\/a\/manifest.json:1:2: the file is not valid JSON/)
  await world.git('add', '.')
  world.write({ 'web1/a/manifest.json': '{' })
  await world.git('commit', '--quiet', '-m', 'good')
  await world
    .run('check', 'prod')
    .exits(1)
    .stdout(/^error: prod\/web1/)
})

test('it does not matter what is deployed, and nobody has to be known', async t => {
  const world = await makeWorld(t, { 'web1/a/x': '1\n' })
  await world.deploy()
  world.write({ 'web2/a/manifest.json': '{' })
  await world
    .run('check')
    .exits(1)
    .stdout(/^error: prod\/web2\/a\/manifest.json:1:2: the file is not valid JSON/)
  world.remove('web2')
  const clone = await world.colleague('Bob')
  await clone.git('config', '--global', '--unset-all', 'user.name')
  await clone.git('config', '--global', 'user.useConfigOnly', 'true')
  await clone.run('check', 'prod').stdout('prod can be deployed (1 host, 1 app)\n')
})

test('a fleet of 200 hosts with 10 apps each takes well under a second', async t => {
  const files = Array.from({ length: 2000 }, (_, i) => {
    const app = `host${Math.floor(i / 10)}/app${i % 10}`
    return [
      [`${app}/x`, `${i}\n`],
      [`${app}/manifest.json`, unit(`unit${i % 10}.service`)],
    ] as const
  })
  const world = await makeWorld(t, Object.fromEntries(files.flat()), { commit: false })
  const verdict = /\nprod can be deployed \(200 hosts, 2000 apps, 2000 notes\)\n$/
  await world.run('check', 'prod').stdout(verdict)
  // Processor time, because tests run beside each other.
  const timed = await world.execute([
    'bash',
    '-c',
    'TIMEFORMAT="%U %S"; time git deploy check prod >/dev/null',
  ])
  const [user, system] = timed.stderr.trim().split(' ').map(Number)
  assert.ok(user! + system! < 1, timed.stderr)
})
