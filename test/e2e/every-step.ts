/** An update with every kind of step, on a host with systemd, and a portrait of all that it can touch. */
import type { BootOptions, Owner } from '../hosts/boot.ts'
import type { TestHost } from '../hosts/test-host.ts'
import { makeWorld, type World } from '../support/world.ts'
import { sleeper } from './trees.ts'

/** How many steps the update has. */
export const STEPS = 26

/** A host on which the update can be deployed. */
export async function beforeTheUpdate(
  owner: Owner,
  {
    storage = 'memory',
    prepare = '',
  }: { readonly storage?: BootOptions['storage']; readonly prepare?: string } = {},
): Promise<World<TestHost>> {
  const world = await makeWorld(
    owner,
    {
      ...sleeper('web1', 'stays'),
      ...reloader('one\n'),
      ...sleeper('web1', 'leaves', 'Environment=A=1\n'),
      'web1/stays/x.conf': 'one\n',
      'web1/leaves/sysusers/l.conf': 'u deptool-l -\n',
    },
    { hosts: 'real', storage },
  )
  const web1 = world.host('web1')
  await web1.output(
    "printf 'adopted\\n' > /etc/adopted.conf; chmod 640 /etc/adopted.conf; chown nobody /etc/adopted.conf",
  )
  // Users stay when a deployment is undone (sysusers.d(5) has no way back), so they are there from the start.
  await web1.output(`useradd --system deptool-c; sync; ${prepare}`)
  await world.deploy()
  world.remove('web1/leaves')
  world.write({
    ...sleeper('web1', 'comes'),
    ...reloader('two\n'),
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
  return world
}

function reloader(text: string) {
  return {
    'web1/reloads/x.conf': text,
    'web1/reloads/systemd/reloads.service': `[Service]
ExecStart=/bin/sleep infinity
ExecReload=/bin/true
[Install]
WantedBy=multi-user.target
`,
    'web1/reloads/manifest.json': JSON.stringify({
      systemd: { units_enabled: ['reloads.service'], units_reload: ['reloads.service'] },
    }),
  }
}

/** Files with mode and owner, links, enablement, and what runs. */
export async function portrait(host: TestHost): Promise<unknown> {
  const units = ['stays.service', 'reloads.service', 'leaves.service', 'comes.service']
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
