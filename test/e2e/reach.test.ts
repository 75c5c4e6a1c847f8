/** Hosts that cannot be worked with: named, with the cause and the remedy, and nothing is changed anywhere. */
import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { anything } from '../support/outcome.ts'
import { runOnTerminal } from '../support/terminal.ts'
import { makeWorld, type World } from '../support/world.ts'

type RealWorld = World<TestHost>

/** web1 is spoilt; web2, which is fine, must be left alone for it. What the operator is told about web1. */
async function whatIsSaid(
  t: TestContext,
  spoil: (world: RealWorld, web1: TestHost) => unknown,
): Promise<string> {
  const world = await makeWorld(t, { 'web1/a/x': '1\n', 'web2/a/x': '1\n' }, { hosts: 'real' })
  await spoil(world, world.host('web1'))
  const { stderr } = await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(
      /web2 {2}nothing changed\n(.|\n)*fatal: cannot deploy 'prod': no host was changed\n(hint: .* --skip-unreachable\n)?$/,
    )
  assert.deepEqual(await world.host('web2').output('ls /var/lib/deptool/apps'), '')
  // A line of its own begins with a time; what follows indented belongs to it.
  const blocks = world.normalise(stderr).split(/\n(?= {2}<time>|fatal)/)
  return blocks
    .filter(block => / web1 /.test(block))
    .at(-1)!
    .replace(/^ +/gm, '')
}

const knownHosts = (world: RealWorld) => join(world.home, '.ssh/known_hosts')

test('a user whose sudo asks for a password', realHosts, async t => {
  assert.equal(
    await whatIsSaid(t, world => world.logInAs('nosudo', 'web1')),
    `<time>  web1  cannot become root as 'nosudo': sudo needs a password
hint: run as root on the host: echo 'nosudo ALL=(root) NOPASSWD: ALL' | EDITOR='tee -a' visudo -f /etc/sudoers.d/zz-git-deploy`,
  )
})

for (const [what, rule, why] of [
  ['has a rule that wants a password', 'ada ALL=(ALL) ALL', 'sudo needs a password'],
  ['may run one command only', 'ada ALL=(root) NOPASSWD: /usr/bin/id', 'sudo needs a password'],
  [
    'needs a terminal for sudo',
    'Defaults:ada requiretty\nada ALL=(root) NOPASSWD: ALL',
    "sudo needs a terminal (the setting 'requiretty')",
  ],
] as const)
  test(`a user who ${what}: the hint leaves that rule, and helps`, realHosts, async t => {
    const world = await makeWorld(t, { 'web1/a/x': '1\n' }, { hosts: 'real' })
    const web1 = world.host('web1')
    await web1.output(`useradd -m -s /bin/sh -p '*' ada; printf '${rule}\n' >/etc/sudoers.d/ada`)
    // Before the reason, sudo then says that it cannot resolve the host's name.
    await web1.output("printf '127.0.0.1 localhost\n' >/etc/hosts; hostname nowhere.invalid")
    world.logInAs('ada', 'web1')
    const { stderr } = await world
      .run('prod', '--yes')
      .exits(1)
      .stdout(anything)
      .stderr(/cannot become root as 'ada'/)
    assert.match(stderr, new RegExp(`cannot become root as 'ada': ${why.replace(/[()]/g, '\\$&')}\n`))
    await web1.output(`cd /; ${/hint: run as root on the host: (.*)/.exec(stderr)![1]}`)
    assert.equal(web1.read('/etc/sudoers.d/ada'), `${rule}\n`)
    await world.deploy()
  })

test(
  'what is said about sudo helps as it is typed, also a user with a dot in their name',
  realHosts,
  async t => {
    const world = await makeWorld(t, { 'web1/a/x': '1\n' }, { hosts: 'real' })
    const web1 = world.host('web1')
    await web1.output("useradd -m -s /bin/sh -p '*' a.da")
    world.logInAs('a.da', 'web1')
    const { stderr } = await world
      .run('prod', '--yes')
      .exits(1)
      .stdout(anything)
      .stderr(/cannot become root as 'a\.da'/)
    await web1.output(`cd /; ${/hint: run as root on the host: (.*)/.exec(stderr)![1]}`)
    await world.deploy()
  },
)

test('a user with sudo deploys as root does', realHosts, async t => {
  const world = await makeWorld(t, { 'web1/a/x': '1\n' }, { hosts: 'real' })
  world.logInAs('deploy', 'web1')
  await world
    .run('prod', '--yes')
    .stdout(/deployed to 1 host in 'prod'/)
    .stderr(/agent installed/)
  assert.equal(world.host('web1').read('/var/lib/deptool/apps/a/current/x'), '1\n')
  assert.match(world.host('web1').tree('/var/lib/deptool').join('\n'), /^0700 0:0 store\//m)

  // Their own PATH need not have what root's programs are in.
  await world.host('web1').output("echo 'Defaults !secure_path' >/etc/sudoers.d/path")
  world.write({ 'web1/a/manifest.json': '{"validate": [["nginx", "-v"]]}' })
  await world.deploy()
})

test('--skip-unreachable: the others are deployed to, and the exit code tells', realHosts, async t => {
  const tree = { 'web1/a/x': '1\n', 'web2/a/x': '1\n', 'web3/a/x': '1\n' }
  const world = await makeWorld(t, tree, { hosts: 'real' })
  const runs = (name: string) => world.host(name).exists('/var/lib/deptool/apps/a/current/x')
  await world.host('web1').output('systemctl stop ssh.service ssh.socket')
  await world
    .run('prod', '--yes', '--skip-unreachable')
    .exits(4)
    .stdout(anything)
    .stderr(
      /web1 {2}cannot connect to '<web1>:2022'(.|\n)*\nfatal: deployed to 2 of 3 hosts, but nothing changed on web1\n$/,
    )
  assert.deepEqual(['web1', 'web2', 'web3'].map(runs), [false, true, true])
  await world.run('status', 'prod').stdout(/web1 +never deployed.*\nweb2.*up to date\nweb3.*up to date\n/)

  // Whatever else is in the way still stops everybody, and so does a fleet of which nobody answers.
  world.write({
    'web2/a/x': '2\n',
    'web3/a/x': '2\n',
    'web3/a/manifest.json': '{"symlinks": {"/nowhere/x": "x"}}',
  })
  await world
    .run('prod', '--yes', '--skip-unreachable')
    .exits(1)
    .stdout(anything)
    .stderr(/web2 {2}nothing changed\nfatal: cannot deploy 'prod': no host was changed\n$/)
  await world
    .run('prod', '--yes', '--skip-unreachable', '--limit=web1')
    .exits(1)
    .stdout(anything)
    .stderr(/\nfatal: cannot deploy 'prod': no host was changed\n$/)

  // --atomic: all or none of those that can be reached.
  world.remove('web3/a/manifest.json')
  world.write({
    'web3/a/systemd/a.service': '[Service]\nExecStart=/bin/false\n',
    'web3/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"]}}',
  })
  await world
    .run('prod', '--yes', '--skip-unreachable', '--atomic')
    .exits(4)
    .stdout(anything)
    .stderr(/\nfatal: rolled back on web2, web3: they are as they were before; nothing changed on web1\n/)
  assert.equal(world.host('web2').read('/var/lib/deptool/apps/a/current/x'), '1\n')
})

test('nobody listens', realHosts, async t => {
  const said = await whatIsSaid(t, (_, web1) => web1.output('systemctl stop ssh.service ssh.socket'))
  assert.match(said, /^<time> {2}web1 {2}cannot connect to '<web1>:2022': connection refused\nhint: /)
})

test('somebody listens and hangs up', realHosts, async t => {
  const said = await whatIsSaid(t, async world => (await world.relay('web1')).refuse())
  assert.match(said, /^<time> {2}web1 {2}cannot connect to '127.0.0.1:\d+': the host closed the connection$/)
})

test('no key that the host takes', realHosts, async t => {
  const said = await whatIsSaid(t, world => world.logInAs('stranger', 'web1'))
  assert.match(said, /web1 {2}cannot log in as 'stranger'.*\nhint: /)
})

test('a host key that is not known', realHosts, async t => {
  const said = await whatIsSaid(t, world => {
    const lines = readFileSync(knownHosts(world), 'utf8').split('\n')
    writeFileSync(knownHosts(world), lines.slice(1).join('\n'))
  })
  assert.match(
    said,
    /web1 {2}cannot trust '\[<web1>\]:2022': its .* key is unknown: SHA256:.*\nhint: .*'ssh web1'$/,
  )
})

test(
  'what is said about an unknown host key helps also where ssh is told never to ask',
  realHosts,
  async t => {
    const world = await makeWorld(t, { 'web1/a/x': '1\n' }, { hosts: 'real' })
    writeFileSync(knownHosts(world), '')
    appendFileSync(join(world.home, '.ssh/config'), '\nHost *\n  StrictHostKeyChecking yes\n')
    const { stderr } = await world
      .run('prod', '--yes')
      .exits(1)
      .stdout(anything)
      .stderr(/hint: .* by hand with 'ssh -o StrictHostKeyChecking=ask web1'\n/)
    const typed = / by hand with '(.*)'/.exec(stderr)![1]!
    const { repo: cwd, env } = world
    await runOnTerminal(['sh', '-c', `${typed} true`], [['(yes/no', 'yes\n']], { cwd, env })
    await world.deploy()
  },
)

test('a host key that is another than before', realHosts, async t => {
  const said = await whatIsSaid(t, world => {
    const [one, two] = readFileSync(knownHosts(world), 'utf8').trim().split('\n') as [string, string]
    writeFileSync(knownHosts(world), `${one.replace(/ .*/, two.slice(two.indexOf(' ')))}\n${two}\n`)
  })
  assert.match(said, /web1 {2}THE HOST KEY OF '\[<web1>\]:2022' HAS CHANGED.*known_hosts:1/)
  assert.match(said, /hint: .*ssh-keygen -f "<dir>.*known_hosts" -R "\[<web1>\]:2022"'/)
})

test('a login shell that talks', realHosts, async t => {
  const said = await whatIsSaid(t, (_, web1) =>
    web1.output('echo \'echo Welcome; printf "\\\\033[31m"\' > /root/.bashrc'),
  )
  assert.match(said, /web1 {2}the login shell of 'root' prints to stdout: 'Welcome'\nhint: make .*\.bashrc/)
})

test('a login shell that lets nobody in', realHosts, async t => {
  const said = await whatIsSaid(t, world => world.logInAs('nobody', 'web1'))
  assert.match(
    said,
    /web1 {2}the login shell of 'nobody' does not allow logins: 'This account .*'\nhint: .*chsh/,
  )
})

test('a login shell that ends, and a command that is forced upon the key', realHosts, async t => {
  const inTheWay = `<time>  web1  the agent did not start, exit code 3
hint: a start-up file of 'root' that ends or replaces the shell, or a forced command (ForceCommand, or command= for the key), keeps the agent from starting: 'ssh web1 echo works' must print 'works'`
  assert.equal(await whatIsSaid(t, (_, web1) => web1.output("echo 'exit 3' > /root/.bashrc")), inTheWay)
  const forced = (_: RealWorld, web1: TestHost) =>
    web1.output(`sed -i 's/^/command="exit 3" /' /etc/ssh/authorized_keys`)
  assert.equal(await whatIsSaid(t, forced), inTheWay)
})

test('a command forced upon the key that never ends', realHosts, async t => {
  const world = await makeWorld(t, { 'web1/a/x': '1\n' }, { hosts: 'real' })
  await world.host('web1').output(`sed -i 's/^/command="sleep 100" /' /etc/ssh/authorized_keys`)
  await world
    .runInTerminal(['prod', '--yes'], [[/ 1\.\d s {2}web1 {2}connecting/, '\x03']])
    .exits(130)
    .stdout(/web1 {2}nothing changed/)
})

test('a platform that there is no agent for', realHosts, async t => {
  const said = await whatIsSaid(t, (_, web1) =>
    web1.output(
      "printf '#!/bin/sh\\necho Linux ppc64le\\n' > /usr/local/bin/uname; chmod 755 /usr/local/bin/uname",
    ),
  )
  assert.match(
    said,
    /web1 {2}cannot install the agent on Linux ppc64le\nhint: this package has agents for linux-x86_64/,
  )
})

test(
  'a file in the place of a link, a missing directory and a unit that exists nowhere, all at once',
  realHosts,
  async t => {
    const said = await whatIsSaid(t, async (world, web1) => {
      await web1.output('echo foreign > /etc/x.conf')
      world.write({
        'web1/a/x': 'ours\n',
        'web1/a/manifest.json': JSON.stringify({
          systemd: { units_enabled: ['ghost.service'] },
          symlinks: { '/etc/x.conf': 'x', '/etc/nowhere/y': 'x' },
        }),
      })
    })
    assert.equal(
      said,
      `<time>  web1  refused:
the directory '/etc/nowhere' for the link '/etc/nowhere/y' does not exist
hint: create it, or install the package that does
'/etc/x.conf' exists and differs from the target of the new link: it has 8 bytes, the target 5
hint: use --adopt to replace it; a backup is kept
'a' enables 'ghost.service', which exists neither in the config tree nor on the host
hint: ship it in the app's 'systemd' directory, or install the package that contains it`,
    )
  },
)

test(
  'an agent that is cut short, empty or another file is put there again, by root and by sudo',
  realHosts,
  async t => {
    const world = await makeWorld(t, { 'web1/a/x': '1\n' }, { hosts: 'real' })
    const web1 = world.host('web1')
    await world.deploy()
    const agent = '/var/lib/deptool/bin/deptool-*'
    let x = 1
    for (const user of ['root', 'deploy'])
      for (const damage of [
        `truncate -s 300000 ${agent}`,
        `truncate -s 0 ${agent}`,
        `printf '\\0\\0\\0' | dd of=$(echo ${agent}) bs=1 seek=64 conv=notrunc status=none`,
        `printf '#!/bin/sh\\nexit 3\\n' >$(echo ${agent})`,
      ]) {
        world.logInAs(user, 'web1')
        await web1.output(damage)
        world.write({ 'web1/a/x': `${++x}\n` })
        await world
          .run('prod', '--yes')
          .stdout(/deployed to 1 host/)
          .stderr(/web1 {2}agent installed\n/)
        assert.equal(web1.read('/var/lib/deptool/apps/a/current/x'), `${x}\n`)
      }
  },
)
