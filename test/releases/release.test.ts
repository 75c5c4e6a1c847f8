/**
 * Hosts and operators' machines of other releases: their systemd, Git and OpenSSH. `npm test` has a sample on one of
 * them, `npm run test:all` everything on all.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { OtherRelease } from '../hosts/rootfs.ts'
import { execute } from '../support/execute.ts'
import { needs } from '../support/needs.ts'
import { everyRelease, releases } from './chosen.ts'
import { withoutExceptions } from './exceptions.ts'
import { operatorsMachine } from './operators-machine.ts'
import { rerun, TOP } from './rerun.ts'

const ON_HOSTS = [
  'atomic',
  'config-tree',
  'damage',
  'deploy',
  'enablement',
  'history',
  'kill',
  'operations',
  'quadlet',
  'reconnect',
  'reload',
  'settle',
  'taken-down',
  'undo-of-units',
  'unit-failure',
  'unit-kinds',
  'verify',
].map(name => `test/e2e/${name}.test.ts`)

const ON_A_MACHINE = [
  'test/e2e/git-citizen.test.ts',
  'test/e2e/hooks.test.ts',
  'test/git/history.test.ts',
  'test/remote/ssh/ssh.test.ts',
]

/** README asks for Git 2.31. */
const TOO_OLD: readonly OtherRelease[] = ['bullseye']

const HOUR = 3_600_000

for (const release of releases()) {
  if (!everyRelease()) sample(release)
  else {
    hosts(release)
    if (TOO_OLD.includes(release)) refusal(release)
    else machine(release)
  }
}

function sample(release: OtherRelease): void {
  test(`a sample on hosts of ${release}`, needs(`hosts of ${release}`), t =>
    rerun(t, {
      files: ['test/e2e/deploy.test.ts', 'test/e2e/settle.test.ts'],
      only: /^(after a reboot|removing an app|no unit of the host is left)/,
      env: { GIT_DEPLOY_HOSTS: release },
    }),
  )

  test(`a sample with the Git of ${release}`, onMachine(release), async t =>
    rerun(t, {
      files: ['test/e2e/git-citizen.test.ts'],
      only: /^(reftable|a push|names are read)/,
      machine: await operatorsMachine(release),
    }),
  )
}

function hosts(release: OtherRelease): void {
  test(`hosts of ${release}`, { ...needs(`hosts of ${release}`), timeout: HOUR }, t =>
    rerun(t, { files: ON_HOSTS, only: withoutExceptions(release), env: { GIT_DEPLOY_HOSTS: release } }),
  )
}

function machine(release: OtherRelease): void {
  for (const file of ON_A_MACHINE)
    test(`${file} on a machine of ${release}`, onMachine(release), async t =>
      rerun(t, {
        files: [file],
        only: withoutExceptions(release),
        machine: await operatorsMachine(release),
      }),
    )
}

function refusal(release: OtherRelease): void {
  test(`the Git of ${release} is refused`, onMachine(release), async () => {
    const { enter } = await operatorsMachine(release)
    const script = `git init --quiet /tmp/new; cd /tmp/new; PATH="${join(TOP, 'bin')}:$PATH" git deploy plan prod`
    const { stderr, code } = await execute([...enter, 'sh', '-c', script])
    assert.match(
      stderr,
      /^fatal: cannot open the repository: Git is older than 2\.31\nhint: run 'git version' .*\n/m,
    )
    assert.equal(code, 1)
  })
}

function onMachine(release: OtherRelease) {
  return needs(`hosts of ${release}`, 'node 20.10.0')
}
