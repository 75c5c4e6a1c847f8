import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UnitName } from '../../src/plan/names.ts'
import { notesOn } from '../../src/plan/notes.ts'
import { reloadingOf } from '../../src/plan/reloading.ts'
import { stateOf, type Tree } from '../support/tree-builder.ts'

const reloads = (unit: string) => JSON.stringify({ systemd: { units_enabled: [unit], units_reload: [unit] } })
const starts = '[Service]\nExecStart=/bin/true\n'
const can = 'ExecReload=/bin/true\n'

/** What the files say of a.service, or of the unit. */
const CASES: Readonly<Record<string, readonly [says: string, files: Tree, unit?: string]>> = {
  'a command to reload': ['reload', { 'a/systemd/a.service': `${starts}${can}` }],
  'no such command': ['restart', { 'a/systemd/a.service': starts }],
  'a command that is taken back': ['restart', { 'a/systemd/a.service': `${starts}${can}ExecReload=\n` }],
  'a signal to reload': ['reload', { 'a/systemd/a.service': '[Service]\nType=notify-reload\n' }],
  'the file is on the host': ['unknown', { 'a/x': '' }],
  'a drop-in that says nothing of it': ['unknown', { 'a/systemd/a.service.d/x.conf': '[Service]\nNice=5\n' }],
  'a drop-in that adds a command': ['reload', { 'a/systemd/a.service.d/x.conf': `[Service]\n${can}` }],
  'a drop-in that takes it away': [
    'restart',
    { 'a/systemd/a.service': `${starts}${can}`, 'a/systemd/a.service.d/x.conf': '[Service]\nExecReload=\n' },
  ],
  'the last drop-in counts': [
    'reload',
    {
      'a/systemd/a.service.d/10.conf': '[Service]\nExecReload=\n',
      'b/systemd/a.service.d/20.conf': `[Service]\n${can}`,
    },
  ],
  'the file of another app': ['reload', { 'a/x': '', 'b/systemd/a.service': `${starts}${can}` }],
  'a template': ['reload', { 'a/systemd/a@.service': `${starts}${can}` }, 'a@1.service'],
  'a quadlet': ['restart', { 'a/quadlets/a.container': '[Container]\nImage=x\n' }],
  'a quadlet with a command': [
    'reload',
    { 'a/quadlets/a.container': `[Container]\nImage=x\n[Service]\n${can}` },
  ],
  'a socket': ['restart', { 'a/systemd/a.socket': '[Socket]\n' }, 'a.socket'],
}

for (const [name, [says, files, unit = 'a.service']] of Object.entries(CASES))
  test(`whether a unit can be reloaded: ${name}`, () => {
    const { apps } = stateOf({ ...files, 'a/manifest.json': reloads(unit) })
    assert.equal(reloadingOf(unit as UnitName, apps), says)
  })

test('settings that keep a reloaded unit in one version are noted', () => {
  const notes = (setting: string) =>
    notesOn(
      stateOf({
        'a/systemd/a.service': `${starts}${can}${setting}\n`,
        'a/manifest.json': reloads('a.service'),
      }),
    ).map(({ file, what }) => `${file}: ${what}`)
  const current = '/var/lib/deptool/apps/a/current'
  for (const setting of [`WorkingDirectory=${current}`, `BindReadOnlyPaths=${current}/etc:/etc/a`])
    assert.deepEqual(notes(setting), [
      `a/systemd/a.service: '${setting.split('=')[0]}=' keeps a reloaded unit in one version of 'a': its deployments will be rolled back`,
    ])
  assert.deepEqual(notes('BindReadOnlyPaths=/var/lib/deptool/apps/a:/etc/a'), [])
  assert.deepEqual(notes(`ExecStartPre=/bin/true ${current}/x`), [])
})
