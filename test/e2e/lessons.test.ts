/** What went wrong with deptool, the tool that had this idea first, and must not go wrong here. */
import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'

const APPS = '/var/lib/deptool/apps'
const enables = (...units: string[]) => JSON.stringify({ systemd: { units_enabled: units } })
const running = '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n'
const failing = '[Service]\nExecStart=/bin/false\n[Install]\nWantedBy=multi-user.target\n'

test(
  'after a failure, taking the change back in the tree is enough: the host has never left it',
  realHosts,
  async t => {
    const world = await makeWorld(
      t,
      {
        'web1/a/x': 'one\n',
        'web1/a/systemd/a.service': running,
        'web1/a/manifest.json': enables('a.service'),
      },
      { hosts: 'real' },
    )
    const host = world.host('web1')
    await world.deploy()
    world.write({ 'web1/a/x': 'two\n' })
    await world.deploy()
    const before = [...host.tree(APPS), ...host.tree('/etc/systemd/system')]

    world.write({
      'web1/a/x': 'three\n',
      'web1/a/systemd/a.service': failing,
      'web1/b/systemd/b.service': failing,
      'web1/b/manifest.json': enables('b.service'),
    })
    await world
      .run('prod', '--yes')
      .exits(4)
      .stdout(anything)
      .stderr(/rolled back/)
    assert.deepEqual([...host.tree(APPS), ...host.tree('/etc/systemd/system')], before, '`previous` too')
    await world
      .run('plan', '--exit-code', 'prod')
      .exits(2)
      .stdout(/update a(.|\n)*add b/)

    world.remove('web1/b')
    world.write({ 'web1/a/x': 'two\n', 'web1/a/systemd/a.service': running })
    await world.run('prod').stdout('prod is up to date (1 host)\n')
    await world.run('verify', 'prod').stdout(/^web1 {2}ok\n/)
    assert.equal(host.read(`${APPS}/a/current/x`), 'two\n')
  },
)

test(
  'what did not wholly go back is not forgotten when the change is taken back in the tree',
  realHosts,
  async t => {
    const unit = (command: string) => `[Service]\nExecStart=/bin/sh -c '${command}'\n`
    const good = unit('test ! -e /run/spoilt && exec sleep infinity')
    const tree = { 'web1/a/systemd/a.service': good, 'web1/a/manifest.json': enables('a.service') }
    const world = await makeWorld(t, { ...tree, 'web2/b/x': 'one\n' }, { hosts: 'real' })
    await world.deploy()
    world.write({ 'web1/a/systemd/a.service': unit('touch /run/spoilt; exit 1') })
    await world
      .run('prod', '--yes')
      .exits(4)
      .stdout(anything)
      .stderr(/\nfatal: rolled back on web1, but incompletely\nhint: .*--repair prod/)

    world.write({ 'web1/a/systemd/a.service': good })
    const unsettled = `web1: deployment <id> was rolled back incompletely
hint: run 'git deploy --repair prod' to fix it

prod: nothing to change, as far as this repository knows
`
    await world.run('plan', 'prod', '--exit-code').exits(2).stdout(unsettled)
    await world
      .run('prod', '--yes')
      .exits(1)
      .stdout(unsettled)
      .stderr("fatal: cannot tell whether 'prod' is up to date: the state of web1 is uncertain\n")
    await world.run('prod', '--limit', 'web2').stdout(/prod is up to date on 1 of 2 hosts/)
    await world
      .run('status', 'prod')
      .stdout(/web1 .* up to date, but deployment <id> was rolled back incompletely\nweb2 .*date\n$/)
      .stderr("hint: run 'git deploy --repair prod' to fix it\n")
    const { stdout } = await world.run('status', '--porcelain').stdout(anything)
    assert.match(
      stdout,
      /^web1\tcurrent\t0(\t[^\t]+){5}\t-\t\d{8}T\S+\nweb2\tcurrent\t0(\t[^\t]+){5}\t-\t-\n$/,
    )

    await world.host('web1').output('rm /run/spoilt')
    await world
      .run('prod', '--repair', '--yes')
      .stdout(/restart a\.service/)
      .stderr(anything)
    assert.equal((await world.host('web1').unit('a.service')).active, 'active')
    await world.run('prod').stdout('prod is up to date (2 hosts)\n')
  },
)

test('units of every type are judged by what they are for', realHosts, async t => {
  const install = '[Install]\nWantedBy=multi-user.target\n'
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/once.service': `[Service]\nType=oneshot\nExecStart=/bin/sleep 0.5\n${install}`,
      'web1/a/systemd/stays.service': `[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n${install}`,
      'web1/a/systemd/often.timer': '[Timer]\nOnCalendar=daily\n[Install]\nWantedBy=timers.target\n',
      'web1/a/systemd/often.service': '[Service]\nType=oneshot\nExecStart=/bin/true\n',
      'web1/a/systemd/door.socket': '[Socket]\nListenStream=/run/door\n[Install]\nWantedBy=sockets.target\n',
      'web1/a/systemd/door.service': '[Service]\nExecStart=/bin/cat\nStandardInput=socket\n',
      'web1/a/systemd/all.target': `[Unit]\nDescription=all\n${install}`,
      'web1/a/manifest.json': enables(
        'once.service',
        'stays.service',
        'often.timer',
        'door.socket',
        'all.target',
      ),
    },
    { hosts: 'real' },
  )
  await world.deploy()
  const host = world.host('web1')
  const states = ['once.service', 'stays.service', 'often.timer', 'door.socket', 'all.target'].map(
    async unit => `${unit} ${(await host.unit(unit)).active}`,
  )
  assert.deepEqual(await Promise.all(states), [
    'once.service inactive',
    'stays.service active',
    'often.timer active',
    'door.socket active',
    'all.target active',
  ])
  await world.run('verify', 'prod').stdout('web1  ok\n')
})

test('a oneshot that was done is not left failed by a reload that is undone', realHosts, async t => {
  const manifest = { systemd: { units_enabled: ['once.service'], units_reload: ['once.service'] } }
  const current = '/var/lib/deptool/apps/a/current'
  const world = await makeWorld(
    t,
    {
      'web1/a/code': '0\n',
      'web1/a/systemd/once.service': `[Service]\nType=oneshot\nExecStart=/bin/sh -c 'exit $(cat ${current}/code)'\nExecReload=/bin/true\n[Install]\nWantedBy=multi-user.target\n`,
      'web1/a/manifest.json': JSON.stringify(manifest),
    },
    { hosts: 'real' },
  )
  await world.deploy()
  world.write({ 'web1/a/code': '1\n' })
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(/reload once\.service/)
    .stderr(/rolled back: once\.service exited with 1/)
  assert.equal((await world.host('web1').unit('once.service')).active, 'inactive')
  await world.run('verify', 'prod').stdout(/^web1 {2}ok\n/)
})

test('what systemctl enable complains about rolls back, and is told', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/a.service': `${running}Alias=other.service\n`,
      'web1/a/manifest.json': enables('a.service'),
    },
    { hosts: 'real' },
  )
  const host = world.host('web1')
  await host.sh("printf '[Service]\\nExecStart=/bin/true\\n' >/etc/systemd/system/other.service")
  const before = host.tree('/etc/systemd/system')
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(anything)
    .stderr(/rolled back: systemctl enable a\.service: .*other\.service.*exist/)
  assert.deepEqual(host.tree('/etc/systemd/system'), before)
})

for (const verb of ['stop', 'daemon-reload'])
  test(`a systemctl ${verb} that fails rolls back, and is told`, realHosts, async t => {
    const of = (app: string) => ({
      [`web1/${app}/systemd/${app}.service`]: running,
      [`web1/${app}/manifest.json`]: enables(`${app}.service`),
    })
    const world = await makeWorld(t, of('a'), { hosts: 'real' })
    const host = world.host('web1')
    await world.deploy()
    const before = [...host.tree(APPS), ...host.tree('/etc/systemd/system')]
    // Once, the first time.
    await host.output(`cat >/usr/local/bin/systemctl <<'END'
#!/bin/sh
case " $* " in *" ${verb} "*) rm /usr/local/bin/systemctl; echo 'no, not today' >&2; exit 1 ;; esac
exec /usr/bin/systemctl "$@"
END
chmod 755 /usr/local/bin/systemctl`)
    world.remove('web1/a')
    world.write(of('b'))
    await world
      .run('prod', '--yes')
      .exits(4)
      .stdout(anything)
      .stderr(new RegExp(`rolled back: systemctl ${verb}.*no, not today\n(.|\n)*it is as it was before`))
    assert.deepEqual([...host.tree(APPS), ...host.tree('/etc/systemd/system')], before)
    assert.equal((await host.unit('a.service')).active, 'active')
    await world.run('verify', 'prod').stdout(/^web1 {2}ok\n/)
  })

test("a unit that was broken before is in nobody else's way, and can be mended", realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/a.service': '[Service]\nExecStart=/bin/sleep infinity\n',
      'web1/a/manifest.json': enables('a.service'),
      'web1/b/x': 'one\n',
    },
    { hosts: 'real' },
  )
  const host = world.host('web1')
  await world.deploy()
  await host.sh('systemctl kill --signal=KILL a.service')
  assert.equal((await host.unit('a.service')).active, 'failed')

  world.write({ 'web1/b/x': 'two\n' })
  await world.deploy()
  world.write({ 'web1/a/systemd/a.service': failing })
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(anything)
    .stderr(/a\.service exited with 1(.|\n)*it is as it was before\n/)
  world.write({ 'web1/a/systemd/a.service': running })
  await world.deploy()
  assert.equal((await host.unit('a.service')).active, 'active')
})

for (const transport of ['ssh2', 'openssh'])
  test(`a host that says more on stderr than a pipe holds, by ${transport}`, realHosts, async t => {
    const world = await makeWorld(t, { 'web1/a/x': 'one\n' }, { hosts: 'real' })
    const host = world.host('web1')
    await host.sh('echo \'head -c 1000000 /dev/zero | tr "\\0" x >&2\' >/root/.bashrc')
    await world.git('config', 'deptool.transport', transport)
    await world.deploy()
    assert.equal(host.read(`${APPS}/a/current/x`), 'one\n')
  })

test('symbolic links within an app are deployed as links', async t => {
  const world = await makeWorld(t, { 'web1/a/sites/one.conf': 'one\n' })
  symlinkSync('sites/one.conf', join(world.repo, 'prod/web1/a/default.conf'))
  await world.deploy()
  const host = world.host('web1')
  assert.equal(host.readlink(`${APPS}/a/current/default.conf`), 'sites/one.conf')
  assert.equal(host.read(`${APPS}/a/current/default.conf`), 'one\n')
  await world.run('verify', 'prod').stdout('web1  ok\n')
})
