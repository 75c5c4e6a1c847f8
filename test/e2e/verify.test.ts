/** Drift: what `verify` finds on hosts that somebody has worked on, and how `--repair` puts it right. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  mkdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'
import { sleeper } from './trees.ts'

const TREE = {
  'web1/a/a.conf': 'one\n',
  'web1/a/deep/b.conf': 'two\n',
  'web1/a/run.sh': { executable: '#!/bin/sh\n' },
  'web1/a/here': { symlink: 'a.conf' },
  'web1/a/systemd/a.service.d/x.conf': '[Service]\n',
  'web1/a/manifest.json': '{"symlinks": {"/etc/a.conf": "a.conf"}}',
  'web1/b/b.conf': 'b\n',
}

async function deployed(t: Parameters<typeof makeWorld>[0]) {
  const world = await makeWorld(t, TREE)
  await world.deploy()
  const host = world.host('web1')
  const on = (path: string) => join(host.root(), path)
  const version = (app: string, path = '') =>
    on(`/var/lib/deptool/apps/${app}/${readlinkSync(on(`/var/lib/deptool/apps/${app}/current`))}/${path}`)
  return { world, host, on, version }
}

test('a host that is as it was deployed', async t => {
  const { world } = await deployed(t)
  await world.run('verify', 'prod').stdout('web1  ok\n')
  await world.run('prod', '--repair', '--yes').stdout('prod is up to date (1 host)\n')
})

test('everything that somebody changed by hand is named, and put right', async t => {
  const { world, host, on, version } = await deployed(t)
  const before = host.tree('/etc')
  writeFileSync(version('a', 'a.conf'), 'edited\n')
  unlinkSync(version('a', 'deep/b.conf'))
  chmodSync(version('a', 'run.sh'), 0o700)
  writeFileSync(version('a', 'deep/new'), '')
  unlinkSync(version('a', 'here'))
  writeFileSync(version('a', 'here'), 'one\n')
  unlinkSync(on('/etc/a.conf'))
  unlinkSync(on('/etc/systemd/system/a.service.d/x.conf'))
  symlinkSync('/var/lib/deptool/apps/b/current/b.conf', on('/etc/systemd/system/a.service.d/x.conf'))
  symlinkSync('/var/lib/deptool/apps/b/current/b.conf', on('/etc/systemd/system/old.service'))
  mkdirSync(on('/var/lib/deptool/apps/old/0123456789'), { recursive: true })
  unlinkSync(on('/var/lib/deptool/apps/b/current'))
  await world
    .run('verify', 'prod')
    .exits(2)
    .stdout(`web1  a/a.conf was changed
web1  a/deep/b.conf is missing
web1  a/here has a different file type
web1  a/run.sh has a different mode
web1  a/deep/new was not deployed
web1  b is broken: its link 'current' is missing
web1  old is left over: this app is not deployed
web1  /etc/a.conf is missing: a deployed link was there
web1  /etc/systemd/system/a.service.d/x.conf does not point to the deployed file
web1  /etc/systemd/system/old.service is left over: git-deploy made this link, but no app declares it
`)
  await world
    .run('prod', '--repair', '--dry-run', '--color=always')
    .stdout(anything)
    .stderr(/^web1 {2}\x1b\[31ma\/a\.conf/)
  await world
    .run('prod', '--repair', '--yes')
    .stdout(
      /^prod as last deployed, to repair its hosts\n\nweb1\n {4}repair a\n {8}~ a\.conf\n[\s\S]*deployed to 1 host/,
    )
    .stderr(anything)
  await world.run('verify', 'prod').stdout('web1  ok\n')
  assert.deepEqual(host.tree('/etc'), before)
  assert.equal(host.read('/etc/a.conf'), 'one\n')
  assert.equal(host.exists('/var/lib/deptool/apps/old'), false)
  await world.run('status', 'prod').stdout(/^web1 {2}repaired .* up to date\n$/)
  assert.match(await world.git('log', '-1', '--format=%s', 'refs/deptool/web1'), /^web1: repair a, repair b/)
})

test('a foreign file where a link of ours was is left alone, and said so', async t => {
  const { world, host, on } = await deployed(t)
  unlinkSync(on('/etc/a.conf'))
  writeFileSync(on('/etc/a.conf'), 'mine\n')
  const finding = 'is no longer a deployed link: something else has taken its place'
  await world.run('verify', 'prod').exits(2).stdout(`web1  /etc/a.conf ${finding}\n`)
  await world
    .run('prod', '--repair', '--yes')
    .exits(1)
    .stdout(/link \/etc\/a\.conf/)
    .stderr(
      /'\/etc\/a\.conf' exists and differs from the target of the new link: it has 5 bytes, the target 4\n +hint: use --adopt/,
    )
  world.remove('web1/a')
  await world.run('prod', '--yes').stdout(anything).stderr(anything)
  assert.equal(host.read('/etc/a.conf'), 'mine\n')
})

test('a link outside of the managed directories is remembered after everybody else has forgotten it', async t => {
  const { world, on } = await deployed(t)
  world.write({ 'web1/a/manifest.json': '{}' })
  await world.deploy()
  symlinkSync('/var/lib/deptool/apps/a/current/a.conf', on('/etc/a.conf'))
  await world.run('verify', 'prod').stdout('web1  ok\n')
  writeFileSync(on('/var/lib/deptool/inventory'), 'link /etc/a.conf\ngarbage\n')
  await world
    .run('verify', 'prod')
    .exits(2)
    .stdout('web1  /etc/a.conf is left over: git-deploy made this link, but no app declares it\n')
  await world.deploy('--repair')
  await world.run('verify', 'prod').stdout('web1  ok\n')
})

test('who cannot be asked is told apart from drift', async t => {
  const { world, host, on, version } = await deployed(t)
  renameSync(host.root(), `${host.root()}.gone`)
  await world
    .run('verify', 'prod')
    .exits(1)
    .stderr(/^web1 {2}cannot be checked: cannot find the directory .*\nhint: /)
  await world
    .run('prod', '--repair', '--yes')
    .exits(1)
    .stderr(/^fatal: cannot repair 'web1': /)
  renameSync(`${host.root()}.gone`, host.root())
  rmSync(on('/var/lib/deptool/store'), { recursive: true })
  await world
    .run('verify', 'prod')
    .exits(2)
    .stdout(/^web1 {2}reports no deployment, but this repository has recorded <oid>\n/)
  assert.ok(version('a'))
  world.write({ '../staging/web2/a/x': '' })
  await world.run('verify', 'staging').stdout("nothing has been deployed to 'staging'\n")
  for (const mistyped of [['verify'], ['--repair']])
    await world
      .run(...mistyped, 'stagin')
      .exits(1)
      .stderr(/^fatal: cannot read 'stagin': there is no such directory\n/)
  await world
    .run('prod', 'v1', '--repair')
    .exits(129)
    .stderr(/^error: '--repair' restores what was deployed, and does not take the revision 'v1'\nusage: /)
})

test('a cluster that is mistyped is no good news', async t => {
  const { world } = await deployed(t)
  for (const words of [['verify'], ['--repair', '--yes']])
    await world
      .run(...words, 'prdo')
      .exits(1)
      .stderr(
        "fatal: cannot read 'prdo': there is no such directory\nhint: the clusters of this repository are 'prod'\n",
      )
  for (const words of [['verify'], ['sync'], ['plan']])
    await world
      .run(...words, 'web1')
      .exits(1)
      .stderr(
        "fatal: cannot read 'web1': there is no such directory\nhint: 'web1' is a host of 'prod': to select it, use 'prod --limit web1'\n",
      )
})

test('units: disabled, stopped and left over', realHosts, async t => {
  const world = await makeWorld(
    t,
    { ...sleeper('web1', 'one'), ...sleeper('web1', 'two'), 'web1/one/x': '1' },
    { hosts: 'real' },
  )
  await world.deploy()
  const web1 = world.host('web1')
  await world.run('verify', 'prod').stdout('web1  ok\n')
  await web1.output(`systemctl stop one; rm /etc/systemd/system/multi-user.target.wants/two.service
    echo 2 >/var/lib/deptool/apps/one/current/x
    cp /etc/systemd/system/one.service /run/stray.service
    ln -s /var/lib/deptool/apps/one/current/systemd/one.service /etc/systemd/system/stray.service
    systemctl daemon-reload; systemctl start stray`)
  await world
    .run('verify', 'prod')
    .exits(2)
    .stdout(`web1  one/x was changed
web1  /etc/systemd/system/stray.service is left over: git-deploy made this link, but no app declares it
web1  two.service is disabled, but should be enabled
web1  one.service is not running
`)
  await world
    .run('prod', '--repair', '--yes')
    .stdout(
      /^prod as last deployed, to repair its hosts\n\nweb1\n {4}repair one\n {8}~ x\n {8}stop stray.service\n {8}disable stray.service\n {8}unlink .*\n {4}enable two.service\n {4}daemon-reload\n {4}restart one.service\n/,
    )
    .stderr(anything)
  await world.run('verify', 'prod').stdout('web1  ok\n')
  assert.equal((await web1.unit('one.service')).active, 'active')
  assert.equal((await web1.unit('two.service')).enabled, 'enabled')
  assert.equal((await web1.unit('stray.service')).load, 'not-found')
  assert.equal(web1.exists('/etc/systemd/system/stray.service'), false)
})

test(
  "units: not wanted any more, though they have an alias, or are the distribution's own",
  realHosts,
  async t => {
    const world = await makeWorld(
      t,
      {
        'web1/a/systemd/u.service':
          '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\nAlias=also-u.service\n',
        'web1/a/manifest.json':
          '{"systemd": {"units_enabled": ["u.service", "nsd.service", "systemd-sysctl.service"]}}',
      },
      { hosts: 'real' },
    )
    await world.deploy()
    await world.run('verify', 'prod').stdout('web1  ok\n')
    await world
      .host('web1')
      .output('rm /etc/systemd/system/multi-user.target.wants/u.service; systemctl --quiet disable nsd')
    await world
      .run('verify', 'prod')
      .exits(2)
      .stdout(
        'web1  nsd.service is disabled, but should be enabled\nweb1  u.service is disabled, but should be enabled\n',
      )
    await world.run('prod', '--repair', '--yes').stdout(anything).stderr(anything)
    await world.run('verify', 'prod').stdout('web1  ok\n')
  },
)
