import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_HOST } from '../../src/plan/host-state.ts'
import { makeSteps, type Step } from '../../src/plan/steps.ts'
import { stateOf } from '../support/tree-builder.ts'

const UNIT = '[Service]\nExecStart=/bin/true\n'
const manifest = (value: object) => JSON.stringify(value)
const enables = (...units: string[]) => manifest({ systemd: { units_enabled: units } })

/** A step on one line, as a reader of the list would say it. */
function say(step: Step): string {
  switch (step.kind) {
    case 'checkout':
    case 'swap':
    case 'remove':
      return `${step.kind} ${step.app}`
    case 'link':
    case 'unlink':
      return `${step.kind} ${step.path} -> ${step.target}`
    case 'settle':
      return `settle ${step.units.join(' ')} ${step.ms}`
    case 'sysusers':
    case 'daemonReload':
      return step.kind
    default:
      return `${step.kind} ${step.units.join(' ')}`
  }
}

const CURRENT = '/var/lib/deptool/apps/nginx/current'

test('a new app is checked out, linked, made known, enabled, started and watched', () => {
  const next = stateOf({
    'nginx/nginx.conf': 'events {}',
    'nginx/systemd/nginx.service': UNIT,
    'nginx/sysusers/nginx.conf': 'u nginx',
    'nginx/manifest.json': manifest({
      systemd: { units_enabled: ['nginx.service'], settle_ms: 500 },
      symlinks: { '/etc/nginx/nginx.conf': 'nginx.conf' },
    }),
  })
  assert.deepEqual(makeSteps(EMPTY_HOST, next).map(say), [
    'checkout nginx',
    'swap nginx',
    `link /etc/nginx/nginx.conf -> ${CURRENT}/nginx.conf`,
    `link /etc/systemd/system/nginx.service -> ${CURRENT}/systemd/nginx.service`,
    `link /etc/sysusers.d/nginx.conf -> ${CURRENT}/sysusers/nginx.conf`,
    'sysusers',
    'daemonReload',
    'enable nginx.service',
    'restart nginx.service',
    'settle nginx.service 500',
  ])
})

test('an update of a plain file needs no reload, no link and no enablement', () => {
  const files = { 'nsd/systemd/nsd.service': UNIT, 'nsd/manifest.json': enables('nsd.service') }
  const steps = makeSteps(stateOf({ ...files, 'nsd/a.zone': '1' }), stateOf({ ...files, 'nsd/a.zone': '2' }))
  assert.deepEqual(steps.map(say), [
    'checkout nsd',
    'swap nsd',
    'restart nsd.service',
    'settle nsd.service 300',
  ])
})

test('a unit in units_reload is reloaded, unless a unit file changed', () => {
  const files = (conf: string, unit = UNIT) =>
    stateOf({
      'nginx/nginx.conf': conf,
      'nginx/systemd/nginx.service': unit,
      'nginx/manifest.json': manifest({
        systemd: { units_enabled: ['nginx.service'], units_reload: ['nginx.service'] },
      }),
    })
  assert.deepEqual(makeSteps(files('1'), files('2')).map(say), [
    'checkout nginx',
    'swap nginx',
    'reload nginx.service',
    'settle nginx.service 300',
  ])
  assert.deepEqual(makeSteps(files('1'), files('2', `${UNIT}Nice=5\n`)).map(say), [
    'checkout nginx',
    'swap nginx',
    'daemonReload',
    'restart nginx.service',
    'settle nginx.service 300',
  ])
})

test('a removed app is stopped, disabled, unlinked and removed', () => {
  const old = stateOf({
    'nginx/nginx.conf': '1',
    'nginx/systemd/nginx.service': UNIT,
    'nginx/systemd/nginx.service.d/limits.conf': '[Service]',
    'nginx/manifest.json': enables('nginx.service'),
  })
  assert.deepEqual(makeSteps(old, EMPTY_HOST).map(say), [
    'stop nginx.service',
    'disable nginx.service',
    `unlink /etc/systemd/system/nginx.service -> ${CURRENT}/systemd/nginx.service`,
    `unlink /etc/systemd/system/nginx.service.d/limits.conf -> ${CURRENT}/systemd/nginx.service.d/limits.conf`,
    'remove nginx',
    'daemonReload',
  ])
})

test('a unit that is not enabled any more, but still shipped, is stopped and disabled and stays linked', () => {
  const old = stateOf({ 'a/systemd/a.service': UNIT, 'a/manifest.json': enables('a.service') })
  const next = stateOf({ 'a/systemd/a.service': UNIT, 'a/manifest.json': enables() })
  assert.deepEqual(makeSteps(old, next).map(say), [
    'checkout a',
    'stop a.service',
    'disable a.service',
    'swap a',
  ])
})

test('a link that moves to another app is replaced, never absent', () => {
  const link = manifest({ symlinks: { '/etc/motd': 'motd' } })
  const old = stateOf({ 'a/motd': '1', 'a/manifest.json': link, 'b/x': '' })
  const next = stateOf({ 'a/motd': '1', 'b/motd': '1', 'b/manifest.json': link })
  assert.deepEqual(makeSteps(old, next).map(say), [
    'checkout a',
    'checkout b',
    'swap a',
    'swap b',
    'link /etc/motd -> /var/lib/deptool/apps/b/current/motd',
  ])
})

test("a distribution's unit can be enabled; a quadlet's service is started but never enabled", () => {
  const next = stateOf({
    'web/quadlets/web.container': '[Container]',
    'web/manifest.json': enables('cron.service', 'web.service'),
  })
  assert.deepEqual(makeSteps(EMPTY_HOST, next).map(say), [
    'checkout web',
    'swap web',
    'link /etc/containers/systemd/web.container -> /var/lib/deptool/apps/web/current/quadlets/web.container',
    'daemonReload',
    'enable cron.service',
    'restart cron.service web.service',
    'settle cron.service web.service 300',
  ])
})

test('equal states have no steps, and the way back is a plan too', () => {
  const state = stateOf({ 'a/x': '1', 'a/systemd/a.service': UNIT, 'a/manifest.json': enables('a.service') })
  assert.deepEqual(makeSteps(state, state), [])
  assert.equal(makeSteps(EMPTY_HOST, EMPTY_HOST).length, 0)
})

test('what is in systemd/ but is no unit is deployed and not linked', () => {
  const next = stateOf({ 'a/systemd/README.md': 'x', 'a/systemd/a@.service': UNIT, 'a/systemd/.gitkeep': '' })
  assert.deepEqual(
    makeSteps(EMPTY_HOST, next)
      .map(say)
      .filter(line => line.startsWith('link')),
    ['link /etc/systemd/system/a@.service -> /var/lib/deptool/apps/a/current/systemd/a@.service'],
  )
})
