import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notesOn } from '../../src/plan/notes.ts'
import { stateOf } from '../support/tree-builder.ts'

const enables = (...units: string[]) => JSON.stringify({ systemd: { units_enabled: units } })

test('an enabled unit that no app ships', () => {
  const state = stateOf({
    'a/manifest.json': enables('a.service', 'b.service', 'worker@1.service', 'nginx.service', 'pod.service'),
    'a/systemd/a.service': '',
    'a/systemd/worker@.service': '',
    'a/quadlets/pod.container': '',
    'b/systemd/b.service': '',
  })
  assert.deepEqual(notesOn(state), [
    {
      file: 'a/manifest.json',
      at: ['systemd', 'units_enabled'],
      what: "no app ships 'nginx.service', so it must exist on the host",
    },
  ])
})

test('a file in a special directory that nothing looks for', () => {
  const state = stateOf({
    'a/systemd/a.servise': '',
    'a/systemd/a.service.d/limits.conf': '',
    'a/systemd/.gitkeep': '',
    'a/sysusers/users': '',
    'a/other/file': '',
  })
  assert.deepEqual(
    notesOn(state).map(({ file, what }) => `${file}: ${what}`),
    [
      "a/systemd/a.servise: deployed, but not linked: 'systemd/' expects other names",
      "a/sysusers/users: deployed, but not linked: 'sysusers/' expects other names",
    ],
  )
})
