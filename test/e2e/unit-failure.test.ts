/** What an operator is told about a unit that does not run: how it ended, and what it said. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { realHosts } from '../hosts/real-hosts.ts'
import { anything } from '../support/outcome.ts'
import { makeWorld } from '../support/world.ts'

/** The unit's [Service] section, and what is said about it. */
const CASES: Readonly<Record<string, readonly [service: string, said: string]>> = {
  'a program that says why it gives up': [
    'ExecStart=/bin/sh -c "echo reading a.conf; echo \'a.conf:3: what is this?\' >&2; exit 3"',
    `rolled back: a.service exited with 3
            reading a.conf
            a.conf:3: what is this?
`,
  ],
  'a program that says nothing': ['ExecStart=/bin/false', 'rolled back: a.service exited with 1\n'],
  'a crash': ['ExecStart=/bin/sh -c "kill -SEGV $$$$"', 'rolled back: a.service killed by SIGSEGV\n'],
  'a program that is missing': [
    'ExecStart=/usr/bin/nonesuch',
    `rolled back: a.service exited with 203 (EXEC)
            a.service: Failed to locate executable /usr/bin/nonesuch: No such file or directory
            a.service: Failed at step EXEC spawning /usr/bin/nonesuch: No such file or directory
`,
  ],
  'a user that is missing': [
    'User=nobodyy\nExecStart=/bin/sleep infinity',
    `rolled back: a.service exited with 217 (USER)
            a.service: Failed to determine user credentials: No such process
            a.service: Failed at step USER spawning /bin/sleep: No such process
`,
  ],
  'a preparation that fails': [
    'ExecStartPre=/bin/sh -c "echo no config; exit 2"\nExecStart=/bin/sleep infinity',
    `rolled back: a.service ExecStartPre exited with 2
            no config
`,
  ],
  'a program that is started again and again': [
    'ExecStart=/bin/sh -c "echo port is taken; exit 1"\nRestart=always\nRestartSec=5s',
    `rolled back: a.service exited with 1 and was restarted
            port is taken
`,
  ],
  'a start that takes too long': [
    'Type=notify\nTimeoutStartSec=1\nExecStart=/bin/sleep infinity',
    `rolled back: a.service timed out
            a.service: start operation timed out. Terminating.
`,
  ],
}

test('a unit that fails is explained in its own words, and shortly', realHosts, async t => {
  const world = await makeWorld(t, {}, { hosts: 'real', moreHosts: ['web1'] })
  for (const [name, [service, said]] of Object.entries(CASES))
    await t.test(name, async () => {
      world.write({
        'web1/a/systemd/a.service': `[Service]\n${service}\n`,
        'web1/a/manifest.json': '{"systemd": {"units_enabled": ["a.service"]}}',
      })
      const { stderr } = await world.run('prod', '--yes').exits(4).stdout(anything).stderr(anything)
      const told = /rolled back: (.|\n)*?(?=fatal)/.exec(stderr)?.[0]
      // systemd 257 has other words for what 252 says.
      const older = told?.replace(/Unable (to locate executable) '(.*)'/, 'Failed $1 $2')
      assert.equal(older, said)
    })
})
