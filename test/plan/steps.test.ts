import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeSteps } from '../../src/plan/deployment-steps.ts'
import { EMPTY_HOST } from '../../src/plan/host-state.ts'
import { say } from '../support/say-step.ts'
import { stateOf, type Tree } from '../support/tree-builder.ts'

const UNIT = '[Service]\nExecStart=/bin/true\n'
const manifest = (value: object) => JSON.stringify(value)
const enables = (...units: string[]) => manifest({ systemd: { units_enabled: units } })

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
    'sysusers nginx',
    'swap nginx',
    `link /etc/nginx/nginx.conf -> ${CURRENT}/nginx.conf`,
    `link /etc/systemd/system/nginx.service -> ${CURRENT}/systemd/nginx.service`,
    `link /etc/sysusers.d/nginx.conf -> ${CURRENT}/sysusers/nginx.conf`,
    'enable nginx.service',
    'daemonReload',
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
  const reloads = `${UNIT}ExecReload=/bin/true\n`
  const files = (conf: string, unit = reloads) =>
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
  assert.deepEqual(makeSteps(files('1'), files('2', `${reloads}Nice=5\n`)).map(say), [
    'checkout nginx',
    'swap nginx',
    'enable nginx.service',
    'daemonReload',
    'restart nginx.service',
    'settle nginx.service 300',
  ])
})

test('a unit whose file becomes a quadlet loses its enablement, and gets it back', () => {
  const made = (files: Tree) => stateOf({ ...files, 'a/manifest.json': enables('a.service') })
  const [file, quadlet] = [
    made({ 'a/systemd/a.service': UNIT }),
    made({ 'a/quadlets/a.container': '[Container]' }),
  ]
  const units = (step: string) => /^(?:stop|disable|enable|restart) /.test(step)
  assert.deepEqual(makeSteps(file, quadlet).map(say).filter(units), [
    'disable a.service',
    'restart a.service',
  ])
  assert.deepEqual(makeSteps(quadlet, file).map(say).filter(units), ['enable a.service', 'restart a.service'])
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
    'daemonReload',
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
    'enable cron.service',
    'daemonReload',
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

const SECURE = {
  'tls/tls.conf': '1',
  'tls/key.pem': 'k',
  'tls/sysusers/tls.conf': 'u tls -',
  'tls/tmpfiles/tls.conf': 'd /run/tls 0750 tls tls',
  'tls/systemd/tls.service': UNIT,
}
const secured = (more: object = {}) =>
  manifest({
    systemd: { units_enabled: ['tls.service'] },
    files: { 'key.pem': { mode: '0640', group: 'tls' }, 'tls.conf': { owner: 'tls' } },
    validate: [
      ['tls', '--check'],
      ['true', 'a b'],
    ],
    checks: [
      { tcp: '127.0.0.1:443' },
      { http: 'http://localhost:80/up?x=1', status: 204, within_ms: 5000 },
      { unix: '/run/tls/socket' },
    ],
    ...more,
  })

test('users come first and owners next, so that nobody sees a file without them; checks come last', () => {
  const next = stateOf({ ...SECURE, 'tls/manifest.json': secured() })
  assert.deepEqual(makeSteps(EMPTY_HOST, next).map(say), [
    'checkout tls',
    'validate tls tls --check',
    'validate tls true a b',
    'sysusers tls',
    'attributes tls key.pem 0640 :tls, tls.conf tls',
    'swap tls',
    'link /etc/systemd/system/tls.service -> /var/lib/deptool/apps/tls/current/systemd/tls.service',
    'link /etc/sysusers.d/tls.conf -> /var/lib/deptool/apps/tls/current/sysusers/tls.conf',
    'link /etc/tmpfiles.d/tls.conf -> /var/lib/deptool/apps/tls/current/tmpfiles/tls.conf',
    'tmpfiles tls',
    'enable tls.service',
    'daemonReload',
    'restart tls.service',
    'settle tls.service 300',
    'check tcp 127.0.0.1:443 for 2000 (tls.service)',
    'check http http://localhost:80/up?x=1 is 204 for 5000 (tls.service)',
    'check unix /run/tls/socket for 2000 (tls.service)',
  ])
})

test('an update sets attributes only where the file or they changed, and validates and checks again', () => {
  const old = stateOf({ ...SECURE, 'tls/manifest.json': secured() })
  const next = stateOf({ ...SECURE, 'tls/tls.conf': '2', 'tls/manifest.json': secured() })
  assert.deepEqual(
    makeSteps(old, next)
      .map(say)
      .filter(line => !line.startsWith('check ')),
    [
      'checkout tls',
      'validate tls tls --check',
      'validate tls true a b',
      'attributes tls tls.conf tls',
      'swap tls',
      'restart tls.service',
      'settle tls.service 300',
    ],
  )
  const files = { 'key.pem': { mode: '0600', group: 'tls' } }
  const narrower = stateOf({ ...SECURE, 'tls/manifest.json': secured({ files, validate: [], checks: [] }) })
  assert.deepEqual(makeSteps(old, narrower).map(say), [
    'checkout tls',
    'attributes tls key.pem 0600 :tls',
    'swap tls',
    'restart tls.service',
    'settle tls.service 300',
  ])
})

test('a removed app leaves its users and its directories, and takes the links that describe them', () => {
  const old = stateOf({ ...SECURE, 'tls/manifest.json': secured() })
  assert.deepEqual(makeSteps(old, EMPTY_HOST).map(say), [
    'stop tls.service',
    'disable tls.service',
    'unlink /etc/systemd/system/tls.service -> /var/lib/deptool/apps/tls/current/systemd/tls.service',
    'unlink /etc/sysusers.d/tls.conf -> /var/lib/deptool/apps/tls/current/sysusers/tls.conf',
    'unlink /etc/tmpfiles.d/tls.conf -> /var/lib/deptool/apps/tls/current/tmpfiles/tls.conf',
    'remove tls',
    'daemonReload',
  ])
})

test("a quadlet's service is restarted with its app, and stopped when its quadlet goes", () => {
  const enabled = enables('web.service')
  const files = { 'web/quadlets/web.container': '1', 'web/manifest.json': enabled }
  const old = stateOf({ ...files, 'web/quadlets/data.volume': '' })
  assert.deepEqual(
    makeSteps(
      old,
      stateOf({ ...files, 'web/quadlets/web.container': '2', 'web/quadlets/data.volume': '' }),
    ).map(say),
    ['checkout web', 'swap web', 'daemonReload', 'restart web.service', 'settle web.service 300'],
  )
  assert.deepEqual(makeSteps(old, stateOf(files)).map(say), [
    'checkout web',
    'stop data-volume.service',
    'swap web',
    'unlink /etc/containers/systemd/data.volume -> /var/lib/deptool/apps/web/current/quadlets/data.volume',
    'daemonReload',
    'restart web.service',
    'settle web.service 300',
  ])
  assert.deepEqual(makeSteps(old, EMPTY_HOST).map(say).slice(0, 2), [
    'stop data-volume.service web.service',
    'unlink /etc/containers/systemd/data.volume -> /var/lib/deptool/apps/web/current/quadlets/data.volume',
  ])
})
