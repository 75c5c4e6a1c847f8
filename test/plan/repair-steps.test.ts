import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeploymentId } from '../../src/plan/deployment-id.ts'
import { type Finding, repairOf } from '../../src/plan/drift.ts'
import type { AppName, AppPath, HostPath, Oid, UnitName } from '../../src/plan/names.ts'
import { repairSteps } from '../../src/plan/repair-steps.ts'
import { say } from '../support/say-step.ts'
import { stateOf } from '../support/tree-builder.ts'

const APPS = '/var/lib/deptool/apps'
const UNITS = '/etc/systemd/system'
const [web, db] = ['web', 'db'] as AppName[] as [AppName, AppName]

const state = stateOf({
  'web/web.conf': '1',
  'web/key': 'k',
  'web/systemd/web.service': '[Service]\nExecStart=/bin/true\n',
  'web/sysusers/web.conf': 'u web',
  'web/tmpfiles/web.conf': 'd /run/web',
  'web/manifest.json': JSON.stringify({
    systemd: { units_enabled: ['web.service'], units_reload: ['web.service'], settle_ms: 400 },
    files: { key: { mode: '0600' } },
    validate: [['web', '-t']],
    checks: [{ tcp: '127.0.0.1:80' }],
  }),
  'db/db.conf': '1',
  'db/systemd/db.service': '[Service]\nExecStart=/bin/true\n',
  'db/manifest.json': JSON.stringify({
    systemd: { units_enabled: ['db.service'] },
    symlinks: { '/etc/db.conf': 'db.conf' },
  }),
})

const repair = (...findings: Finding[]) => repairSteps(state, repairOf(findings)).map(say)

test('an app that differs is written, its users made, its attributes set, its units restarted and checked', () => {
  assert.deepEqual(
    repair(
      { kind: 'file', app: web, path: 'web.conf' as AppPath, how: 'changed' },
      { kind: 'file', app: web, path: 'key' as AppPath, how: 'mode' },
      { kind: 'leftoverApp', app: 'old' as AppName },
    ),
    [
      'checkout web',
      'validate web web -t',
      'sysusers web',
      'attributes web key 0600',
      'swap web',
      'remove old',
      'tmpfiles web',
      'daemonReload',
      'restart web.service',
      'settle web.service 400',
      'check tcp 127.0.0.1:80 for 2000 (web.service)',
    ],
  )
})

test("links are made again and leftovers removed in the order of a deployment, with the links' units", () => {
  assert.deepEqual(
    repair(
      { kind: 'link', path: `${UNITS}/db.service` as HostPath, how: 'missing' },
      { kind: 'link', path: '/etc/db.conf' as HostPath, how: 'elsewhere' },
      leftover(`${UNITS}/old.service`),
      leftover('/etc/tmpfiles.d/old.conf'),
      { kind: 'leftoverUnit', unit: 'cron.service' as UnitName },
    ),
    [
      'stop cron.service old.service',
      'disable cron.service old.service',
      `unlink ${UNITS}/old.service -> ${APPS}/old/current/x`,
      `unlink /etc/tmpfiles.d/old.conf -> ${APPS}/old/current/x`,
      `link /etc/db.conf -> ${APPS}/db/current/db.conf`,
      `link ${UNITS}/db.service -> ${APPS}/db/current/systemd/db.service`,
      'enable db.service',
      'daemonReload',
      'restart db.service',
      'settle db.service 400',
    ],
  )
})

test('a leftover drop-in, enablement or linked directory of drop-ins does not stop its unit', () => {
  assert.deepEqual(
    repair(
      leftover(`${UNITS}/cron.service.d/x.conf`),
      leftover(`${UNITS}/multi-user.target.wants/cron.service`),
      leftover(`${UNITS}/ssh.service.d`),
    ).filter(step => !step.startsWith('unlink ')),
    ['daemonReload'],
  )
})

test('what a repair names and the tree contradicts is left alone', () => {
  assert.deepEqual(
    repairSteps(state, {
      apps: ['gone' as AppName],
      links: ['/etc/nowhere' as HostPath],
      enable: ['gone.service' as UnitName],
      restart: ['gone.service' as UnitName],
      goneApps: [web, db],
      goneLinks: [{ path: '/etc/db.conf' as HostPath, target: `${APPS}/x/current/y` as HostPath }],
      goneUnits: ['web.service' as UnitName],
    }),
    [],
  )
})

test('what only sending everything again repairs needs no step', () => {
  const oid = 'c'.repeat(40) as Oid
  assert.deepEqual(
    repair(
      { kind: 'object', oid },
      { kind: 'journal' },
      { kind: 'damaged', id: 'x' as DeploymentId, why: 'y' },
    ),
    [],
  )
})

function leftover(path: string): Finding {
  return { kind: 'leftoverLink', path: path as HostPath, target: `${APPS}/old/current/x` as HostPath }
}
