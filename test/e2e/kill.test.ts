/** kill -9 of the real agent before each step of an update, on a host with systemd; then the next session. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'
import { buildFaultyAgent, placeFault } from './faults.ts'
import { sleeper } from './trees.ts'

test('an update that is killed before any of its steps is undone by the next session', realHosts, async t => {
  const faulty = buildFaultyAgent()
  const world = await makeWorld(
    t,
    {
      ...sleeper('web1', 'stays'),
      ...sleeper('web1', 'leaves', 'Environment=A=1\n'),
      'web1/stays/x.conf': 'one\n',
      'web1/leaves/sysusers/l.conf': 'u deptool-l -\n',
    },
    { hosts: 'real' },
  )
  const web1 = world.host('web1')
  await web1.output(
    "printf 'adopted\\n' > /etc/adopted.conf; chmod 640 /etc/adopted.conf; chown nobody /etc/adopted.conf",
  )
  await world.deploy()
  world.remove('web1/leaves')
  world.write({
    ...sleeper('web1', 'comes'),
    'web1/comes/adopted.conf': 'adopted\n',
    'web1/comes/sysusers/c.conf': 'u deptool-c -\n',
    'web1/comes/tmpfiles/c.conf': 'd /run/deptool-c 0750 deptool-c\n',
    'web1/comes/manifest.json': JSON.stringify({
      systemd: { units_enabled: ['comes.service'] },
      symlinks: { '/etc/adopted.conf': 'adopted.conf' },
      files: { 'adopted.conf': { mode: '0640', owner: 'deptool-c' } },
      validate: [['grep', 'adopted', 'adopted.conf']],
      checks: [{ unix: '/run/systemd/private' }],
    }),
    'web1/stays/x.conf': 'two\n',
    'web1/stays/systemd/stays.service.d/more.conf': '[Service]\nEnvironment=B=2\n',
  })
  // Users stay when a deployment is undone (sysusers.d(5) has no way back), so they are there from the start.
  await web1.output('useradd --system deptool-c')
  const before = await portrait(web1)
  const steps = 23
  for (let at = 0; at < steps; at++) {
    await t.test(`before step ${at}`, async () => {
      placeFault(web1, faulty, at)
      await world
        .run('prod', '--yes')
        .exits(4)
        .stdout(anything)
        .stderr(/web1 {2}connection lost(.|\n)*web1 {2}rolled back: the agent was killed or lost power/)
      assert.deepEqual(await portrait(web1), before)
    })
  }
  placeFault(web1, faulty, steps)
  await world
    .run('prod', '--yes')
    .stdout(/deployed to 1 host/)
    .stderr(anything)
  assert.equal((await web1.unit('comes.service')).active, 'active')
  assert.equal((await web1.unit('leaves.service')).load, 'not-found')
  assert.equal(web1.read('/etc/adopted.conf'), 'adopted\n')
  assert.equal(
    await web1.output('stat -L -c "%a %U" /etc/adopted.conf /run/deptool-c'),
    '640 deptool-c\n750 deptool-c\n',
  )
})

/** All that a deployment can touch: files with mode and owner, links, enablement, and what runs. */
async function portrait(host: TestHost): Promise<unknown> {
  const units = ['stays.service', 'leaves.service', 'comes.service']
  return {
    etc: host.tree('/etc/systemd/system'),
    sysusers: host.tree('/etc/sysusers.d'),
    tmpfiles: host.tree('/etc/tmpfiles.d'),
    apps: host.tree('/var/lib/deptool/apps'),
    rest: await host.output(
      'ls /var/lib/deptool /var/lib/deptool/backup; stat -c "%a %U %F" /etc/adopted.conf',
    ),
    units: await Promise.all(
      units.map(async name => {
        const { load, active, enabled, needsReload } = await host.unit(name)
        return `${name} ${load} ${active} ${enabled} ${needsReload}`
      }),
    ),
    environment: await host.output('systemctl show -p Environment stays.service leaves.service'),
  }
}
