/** What a user of a host tries in order to become root through his directory in which a link is declared. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'

const LINK = '/home/app/conf/config'
const manifest = (more: object) => JSON.stringify({ symlinks: { [LINK]: 'config' }, ...more })

/** Everything below the directories in which a script is run by root sooner or later, or root's own. */
const roots = (host: TestHost) => ['/etc', '/root', '/usr/local', '/var/spool'].map(path => host.tree(path))

async function addUser(host: TestHost): Promise<void> {
  await host.output('useradd --create-home --shell /bin/sh app')
}

/** Runs a shell command as the user, in his home directory. */
function asUser(host: TestHost, command: string): Promise<string> {
  return host.output(`su - app -c '${command}'`)
}

test('a directory that its user has made a link to cron.daily gets no link', realHosts, async t => {
  const world = await makeWorld(
    t,
    {
      'web1/a/config': 'plain\n',
      'web1/a/manifest.json': manifest({ files: { config: { mode: '0755', owner: 'app' } } }),
    },
    { hosts: 'real' },
  )
  const host = world.host('web1')
  await addUser(host)
  await asUser(host, 'ln -s /etc/cron.daily conf')
  const before = roots(host)
  await world
    .run('prod', '--yes')
    .exits(1)
    .stdout(anything)
    .stderr(
      `  <time>  web1  agent installed
  <time>  web1  refused: the link '/home/app/conf/config' is not safe: '/home/app/conf' is a symbolic link to '/etc/cron.daily', and the user 'app' can change where it leads
          hint: choose the path to which it should lead, or put a directory in the place of the link
fatal: cannot deploy 'prod': no host was changed
`,
    )
  assert.deepEqual(roots(host), before)
})

test(
  'a link whose directory its user has made a link is left there when it goes, and is named',
  realHosts,
  async t => {
    const world = await makeWorld(
      t,
      { 'web1/a/config': 'plain\n', 'web1/a/manifest.json': manifest({}) },
      { hosts: 'real' },
    )
    const host = world.host('web1')
    await addUser(host)
    await asUser(host, 'mkdir conf')
    await world.deploy()
    assert.equal(host.readlink(LINK), '/var/lib/deptool/apps/a/current/config')
    await asUser(host, 'mv conf conf.was && ln -s /etc/cron.daily conf')
    const before = roots(host)
    world.write({ 'web1/a/manifest.json': '{}' })
    await world
      .run('prod', '--yes')
      .stdout(anything)
      .stderr(
        /'\/home\/app\/conf\/config' is left as it is: '\/home\/app\/conf' is a symbolic link to '\/etc\/cron\.daily', and the user 'app' can change where it leads\n/,
      )
    assert.deepEqual(roots(host), before)
  },
)

test('a directory swapped while a deployment is undone gets no file back', realHosts, async t => {
  const swap = 'mv conf conf.was && ln -s /etc/cron.daily conf && echo "touch /owned" >kept'
  const world = await makeWorld(
    t,
    {
      'web1/a/config': 'plain\n',
      'web1/a/manifest.json': manifest({ systemd: { units_enabled: ['fails.service'] } }),
      'web1/a/systemd/fails.service': `[Service]
User=app
WorkingDirectory=/home/app
ExecStart=/bin/sh -c '${swap}; exit 1'
[Install]
WantedBy=multi-user.target
`,
    },
    { hosts: 'real' },
  )
  const host = world.host('web1')
  await addUser(host)
  await asUser(host, 'mkdir conf && echo plain >conf/config && ln conf/config kept')
  const before = roots(host)
  await world
    .run('prod', '--yes', '--adopt')
    .exits(4)
    .stdout(anything)
    .stderr(
      /'\/home\/app\/conf\/config' was left as it is, and the file that was there is kept as '\/var\/lib\/deptool\/backup\/<id>\/home\/app\/conf\/config': '\/home\/app\/conf' is a symbolic link to '\/etc\/cron\.daily', and the user 'app' can change where it leads/,
    )
  assert.deepEqual(roots(host), before)
  assert.equal(host.read('/home/app/kept'), 'touch /owned\n')
})
