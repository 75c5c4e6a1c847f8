/** What a config tree can say beyond files, links and units, on real hosts. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'
import { nginx, sleeper } from './trees.ts'

const APPS = '/var/lib/deptool/apps'
const manifest = (value: object) => JSON.stringify(value)

/** Mode, owner and content of a file, links followed; and whether two paths are one file. */
async function facts(host: TestHost, path: string): Promise<string> {
  return (await host.output(`stat -L -c '%a %U:%G %h' ${path}; cat ${path}`)).trim()
}

test(
  'modes and owners are set before anybody sees the files, also for users of the same deployment',
  realHosts,
  async t => {
    const files = {
      'key.pem': { mode: '0640', owner: 'tls', group: 'tls' },
      'open.conf': { owner: 'tls' },
    }
    const world = await makeWorld(
      t,
      {
        'web1/tls/key.pem': 'secret\n',
        'web1/tls/open.conf': 'open\n',
        'web1/tls/other.conf': 'one\n',
        'web1/tls/sysusers/tls.conf': 'u tls -\n',
        'web1/tls/tmpfiles/tls.conf': 'd /run/tls 0750 tls tls\n',
        'web1/tls/manifest.json': manifest({ files, symlinks: { '/etc/key.pem': 'key.pem' } }),
      },
      { hosts: 'real' },
    )
    const web1 = world.host('web1')
    await world
      .run('prod', '--yes')
      .stdout(
        `prod from the working tree (main <oid>)

web1 (new host)
    add tls
        + key.pem
        + manifest.json
        + open.conf
        + other.conf
        + sysusers/tls.conf
        + tmpfiles/tls.conf
        create users
        set 0640 tls:tls on key.pem
        set tls on open.conf
        link /etc/key.pem
        link /etc/sysusers.d/tls.conf
        link /etc/tmpfiles.d/tls.conf
        create files and directories of tmpfiles.d

deployed to 1 host in 'prod' in <time> (<id>)
`,
      )
      .stderr(/web1 {2}systemd-sysusers\n(.|\n)*web1 {2}systemd-tmpfiles\n/)
    assert.equal(await facts(web1, '/etc/key.pem'), '640 tls:tls 1\nsecret')
    assert.equal(await facts(web1, `${APPS}/tls/current/open.conf`), '644 tls:root 1\nopen')
    assert.equal((await web1.output("stat -c '%a %U:%G' /run/tls")).trim(), '750 tls:tls')

    // What does not change stays one file, with its attributes.
    world.write({ 'web1/tls/other.conf': 'two\n' })
    await world
      .run('prod', '--yes')
      .stdout(/update tls\n {8}~ other.conf\n\n/)
      .stderr(anything)
    assert.equal(await facts(web1, '/etc/key.pem'), '640 tls:tls 2\nsecret')

    // Attributes that change are given to a new file: the version before keeps its own.
    world.write({
      'web1/tls/manifest.json': manifest({
        files: { 'key.pem': { mode: '0600' } },
        symlinks: { '/etc/key.pem': 'key.pem' },
      }),
    })
    await world
      .run('prod', '--yes')
      .stdout(/update tls\n {8}~ manifest.json\n {8}set 0600 on key.pem\n\n/)
      .stderr(anything)
    assert.equal(await facts(web1, '/etc/key.pem'), '600 root:root 1\nsecret')
    assert.equal(await facts(web1, `${APPS}/tls/previous/key.pem`), '640 tls:tls 1\nsecret')
    assert.equal(await facts(web1, `${APPS}/tls/current/open.conf`), '644 root:root 1\nopen')

    // Somebody's chmod does not live on by a hard link.
    await web1.output(`chmod 0644 ${APPS}/tls/current/key.pem`)
    world.write({ 'web1/tls/other.conf': 'three\n' })
    await world.deploy()
    assert.equal(await facts(web1, '/etc/key.pem'), '600 root:root 1\nsecret')

    const before = web1.tree(APPS)
    world.write({
      'web1/tls/manifest.json': manifest({ files: { 'key.pem': { owner: 'nobody', group: 'nosuch' } } }),
    })
    await world
      .run('prod', '--yes')
      .exits(1)
      .stdout(anything)
      .stderr(
        /refused: 'tls\/key.pem' must belong to the group 'nosuch', which does not exist on the host\n +hint: install the package that creates it, or declare it in the app's 'sysusers' directory\n/,
      )
    assert.deepEqual(web1.tree(APPS), before)
  },
)

test('a failing validation costs nothing, and says what the command said', realHosts, async t => {
  const validated = (more: object) =>
    manifest({
      systemd: { units_enabled: ['web.service'] },
      validate: [['nginx', '-t', '-p', '.', '-c', 'nginx.conf']],
      ...more,
    })
  const world = await makeWorld(
    t,
    at => ({ ...nginx('web1', at('web1'), 'one'), 'web1/nginx/manifest.json': validated({}) }),
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world
    .run('prod', '--yes')
    .stdout(/ {8}validate nginx -t -p . -c nginx.conf\n/)
    .stderr(anything)
  const before = web1.tree(APPS)
  const pid = (await web1.unit('web.service')).pid

  world.write({ 'web1/nginx/nginx.conf': 'events {}\nhttp { nonsense; }\n' })
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(
      /refused: 'nginx' is not valid: 'nginx -t -p . -c nginx.conf' exited with 1\n +.*unknown directive "nonsense" in \.\/nginx.conf:2\n(.|\n)*fatal: cannot deploy 'prod': no host was changed\n/,
    )
  assert.deepEqual(web1.tree(APPS), before)
  assert.equal((await web1.unit('web.service')).pid, pid, 'nginx was not touched')

  world.write({
    'web1/nginx/manifest.json': validated({
      validate: [['no-such-program'], ['./nginx.conf'], ['./run.sh', '$HOME']],
    }),
  })
  world.write({ 'web1/nginx/run.sh': { executable: '#!/bin/sh\npwd; echo "$1"; exit 3\n' } })
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(
      /'nginx' is not valid: 'no-such-program' was not found on the host\n +'nginx' is not valid: '.\/nginx.conf' cannot be executed\n +hint: make it executable in the config tree \(chmod \+x\)\n +'nginx' is not valid: '.\/run.sh \$HOME' exited with 3\n +\/var\/lib\/deptool\/apps\/nginx\/<oid>\n +\$HOME\n/,
    )
})

test('checks hold a deployment to what it promises', realHosts, async t => {
  const checked = (address: string, checks: object[]) => ({
    'web1/nginx/manifest.json': manifest({
      systemd: { units_enabled: ['web.service'] },
      checks: checks.map(check => JSON.parse(JSON.stringify(check).replaceAll('ADDRESS', address))),
    }),
  })
  const world = await makeWorld(
    t,
    at => ({
      ...nginx('web1', at('web1'), 'one'),
      ...checked(at('web1'), [
        { tcp: 'ADDRESS:8080' },
        { http: 'http://ADDRESS:8080/' },
        { unix: '/run/systemd/private' },
      ]),
    }),
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await world
    .run('prod', '--yes')
    .stdout(
      /check tcp <web1>:8080\n {8}check http http:\/\/<web1>:8080\/ is 200\n {8}check unix \/run\/systemd\/private\n/,
    )
    .stderr(/web1 {2}check http http:\/\/<web1>:8080\/ is 200\n/)
  const before = web1.tree(APPS)

  world.write(checked(web1.address, [{ http: 'http://ADDRESS:8080/', status: 404, within_ms: 200 }]))
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(anything)
    .stderr(/rolled back: check http http:\/\/<web1>:8080\/ is 404 failed for <time>: the answer is 200\n/)
  assert.deepEqual(web1.tree(APPS), before)

  world.write(checked(web1.address, [{ tcp: 'ADDRESS:8081', within_ms: 150 }]))
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(anything)
    .stderr(/rolled back: check tcp <web1>:8081 failed for <time>: connection refused\n/)
  assert.equal((await web1.unit('web.service')).active, 'active')
})

test('a check stops waiting when its unit has failed, and shows why', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/systemd/a.service': "[Service]\nExecStart=/bin/sh -c 'sleep 0.6; echo out of luck; exit 1'\n",
      'web1/a/manifest.json': manifest({
        systemd: { units_enabled: ['a.service'], settle_ms: 0 },
        checks: [{ tcp: '127.0.0.1:9', within_ms: 60_000 }],
      }),
    },
    { hosts: 'real' },
  )
  const started = performance.now()
  await world
    .run('prod', '--yes')
    .exits(4)
    .stdout(anything)
    .stderr(/rolled back: check tcp 127.0.0.1:9 failed: a.service exited with 1\n +out of luck\n/)
  assert.ok(performance.now() - started < 45_000)
})

test('Ctrl-C while a check waits takes everything back at once', realHosts, async t => {
  const checks = [{ tcp: '127.0.0.1:9', within_ms: 60_000 }]
  const world = await makeWorld(
    t,
    { 'web1/a/a.conf': 'one\n', 'web1/a/manifest.json': manifest({ checks }) },
    { hosts: 'real' },
  )
  const started = performance.now()
  await world
    .runInTerminal(['prod', '--yes'], [['web1  check tcp', '\x03']])
    .exits(130)
    .stdout(/rolled back: interrupted by the operator/)
  assert.ok(performance.now() - started < 45_000)
  assert.deepEqual(world.host('web1').tree(APPS), [])
})

test(
  'what is where a link goes is refused, replaced with --adopt, and put back when that fails',
  realHosts,
  async t => {
    const world = await makeWorld(
      t,
      {
        ...sleeper('web1', 'app'),
        'web1/app/motd': 'ours\n',
        'web1/app/manifest.json': manifest({
          systemd: { units_enabled: ['app.service'] },
          symlinks: { '/etc/motd': 'motd', '/etc/issue': 'motd' },
        }),
      },
      { hosts: 'real' },
    )
    const web1 = world.host('web1')
    await web1.output(`printf 'theirs, longer\\n' > /etc/motd; chmod 0604 /etc/motd; chown nobody:daemon /etc/motd
    rm -f /etc/issue; ln -s /usr/lib/issue /etc/issue
    printf '[Service]\\nExecStart=/bin/sleep 1000\\n' > /etc/systemd/system/app.service; systemctl daemon-reload; systemctl start app`)
    const seen = async () =>
      `${await facts(web1, '/etc/motd')}\n${await web1.output('readlink /etc/issue; cat /etc/systemd/system/app.service')}`
    const before = await seen()
    await world
      .run('prod', '--yes')
      .exits(1)
      .stdout(anything)
      .stderr(
        `  <time>  web1  agent installed
  <time>  web1  refused:
          '/etc/issue' is a link to '/usr/lib/issue' that git-deploy did not make
          hint: use --adopt to replace it; a backup is kept
          '/etc/motd' exists and differs from the target of the new link: it has 15 bytes, the target 5
          hint: use --adopt to replace it; a backup is kept
          '/etc/systemd/system/app.service' exists and differs from the target of the new link: it has 36 bytes, the target 77
          hint: use --adopt to replace it; a backup is kept
fatal: cannot deploy 'prod': no host was changed
`,
      )
    assert.equal(await seen(), before)

    world.write({
      'web1/app/systemd/app.service':
        '[Service]\nExecStart=/bin/false\n[Install]\nWantedBy=multi-user.target\n',
    })
    await world
      .run('prod', '--yes', '--adopt')
      .exits(4)
      .stdout(anything)
      .stderr(/rolled back/)
    assert.equal(await seen(), before)
    assert.equal((await web1.unit('app.service')).active, 'active')

    world.write(sleeper('web1', 'app'))
    world.write({
      'web1/app/manifest.json': manifest({
        systemd: { units_enabled: ['app.service'] },
        symlinks: { '/etc/motd': 'motd', '/etc/issue': 'motd' },
      }),
    })
    const { stderr } = await world
      .run('prod', '--yes', '--adopt')
      .stdout(anything)
      .stderr(
        /replaces \/etc\/motd, and keeps the original as \/var\/lib\/deptool\/backup\/<id>\/etc\/motd\n/,
      )
    const backup = /original as (\S+)\/etc\/motd/.exec(stderr)![1]
    assert.equal(web1.read('/etc/motd'), 'ours\n')
    assert.equal(await facts(web1, `${backup}/etc/motd`), '604 nobody:daemon 1\ntheirs, longer')
    assert.equal(web1.readlink(`${backup}/etc/issue`), '/usr/lib/issue')
    assert.match(web1.read(`${backup}/etc/systemd/system/app.service`), /sleep 1000/)
    assert.equal((await web1.unit('app.service')).file, '/etc/systemd/system/app.service')

    // The tree is the truth: what is removed from it does not bring back what was there once.
    world.remove('web1/app')
    world.write({ 'web1/.gitkeep': '' })
    await world.deploy()
    assert.equal(web1.exists('/etc/motd'), false)
    assert.equal(await facts(web1, `${backup}/etc/motd`), '604 nobody:daemon 1\ntheirs, longer')
  },
)

test('everything in the way is said at once, before anything is changed', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/f': 'f\n',
      'web1/a/manifest.json': manifest({
        systemd: { units_enabled: ['cron.service', 'nosuch.service'] },
        symlinks: {
          '/etc/nowhere/f': 'f',
          '/etc/passwd/f': 'f',
          '/mnt/f': 'f',
          '/etc/into/f': 'f',
          '/etc/some.d': 'f',
        },
      }),
      'web1/a/systemd/m.service': '[Service]\nExecStart=/bin/true\n',
      'web1/a/quadlets/q.container': '[Container]\n',
    },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await web1.output(`mkdir -p /etc/some.d /var/lib/deptool/apps/x; ln -s /var/lib/deptool/apps/x /etc/into
    ln -s /dev/null /etc/systemd/system/m.service; ln -s /dev/null /etc/systemd/system/cron.service
    printf '[Service]\\nExecStart=/bin/true\\n' > /lib/systemd/system/cron.service; rm -rf /etc/containers; touch /etc/containers
    mount -t tmpfs -o ro none /mnt`)
  const before = web1.tree('/etc')
  await world
    .run('prod', '--yes', '--adopt')
    .exits(1)
    .stdout(anything)
    .stderr(
      `  <time>  web1  agent installed
  <time>  web1  refused:
          the directory '/etc/containers/systemd' cannot be created: '/etc/containers' is not a directory
          hint: move it away
          the link '/etc/into/f' would be made inside '/var/lib/deptool', because '/etc/into' leads there
          hint: remove the link in the path '/etc/into' first, in a separate deployment
          the directory '/etc/nowhere' for the link '/etc/nowhere/f' does not exist
          hint: create it, or install the package that does
          the directory '/etc/passwd' for the link '/etc/passwd/f' is not a directory
          hint: create it, or install the package that does
          '/etc/some.d' exists and is a directory
          hint: move it away, or put its contents into the config tree
          '/etc/systemd/system/m.service' is masked: a link to '/dev/null'
          hint: run 'systemctl unmask' on the host first; --adopt does not replace it
          '/mnt' is on a read-only file system, but the plan changes links there
          hint: remount the file system for writing
          'a' enables 'nosuch.service', which exists neither in the config tree nor on the host
          hint: ship it in the app's 'systemd' directory, or install the package that contains it
          'cron.service' is masked on the host
          hint: run 'systemctl unmask cron.service' on the host first
fatal: cannot deploy 'prod': no host was changed
`,
    )
  assert.deepEqual(web1.tree('/etc'), before)
})

test('an embedded host gets the modes, and the owners that it knows', async t => {
  const world = await makeWorld(t, {
    'web1/a/key': 'k\n',
    'web1/a/open': 'o\n',
    'web1/a/manifest.json': manifest({
      files: { key: { mode: '0600', owner: 'nosuch' }, open: { mode: '0604', owner: 'me', group: '12345' } },
      validate: [['false']],
      checks: [{ tcp: '127.0.0.1:9' }],
    }),
  })
  const web1 = world.host('web1')
  // Whoever runs this can give files to themselves, and root to anybody.
  const gid = process.getuid!() === 0 ? 12345 : process.getgid!()
  writeFileSync(`${web1.directory}/etc/passwd`, `me:x:${process.getuid!()}:0::/:/bin/sh\n`)
  await world
    .run('prod', '--yes')
    .stdout(anything)
    .stderr(
      /a local host directory does not run units: only files and links are deployed\n +'a\/key' must belong to the user 'nosuch', which does not exist on the host\n/,
    )
  const files = web1.tree(`${APPS}/a/current/..`).filter(line => /\/(key|open)$/.test(line))
  assert.deepEqual(
    files.map(line => line.replace(/ [0-9a-f]{10}\//, ' ')),
    [`0600 ${process.getuid!()}:${process.getgid!()} key`, `0604 ${process.getuid!()}:${gid} open`],
  )
})
