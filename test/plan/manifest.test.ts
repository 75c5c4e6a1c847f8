import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeSteps } from '../../src/plan/deployment-steps.ts'
import { EMPTY_HOST } from '../../src/plan/host-state.ts'
import type { Manifest } from '../../src/plan/manifest.ts'
import { say } from '../support/say-step.ts'
import { stateOf } from '../support/tree-builder.ts'

const CURRENT = '/var/lib/deptool/apps/a/current'
const enabled = { units_enabled: ['a.service'] }

interface Effect {
  readonly manifest: object
  /** What the key is compared with: an app without a manifest, unless the key needs another one beside it. */
  readonly without?: object
  /** The steps that are there only with the key, of a first deployment and of a change to a file. */
  readonly steps: readonly string[]
}

/** A key that is missing here does not compile. */
const EFFECTS: { readonly [K in keyof Manifest]: Effect } = {
  unitsEnabled: {
    manifest: { systemd: enabled },
    steps: [
      'enable a.service',
      'restart a.service',
      'settle a.service 300',
      'restart a.service',
      'settle a.service 300',
    ],
  },
  unitsReload: {
    manifest: { systemd: { ...enabled, units_reload: ['a.service'] } },
    without: { systemd: enabled },
    steps: ['reload a.service'],
  },
  settleMs: {
    manifest: { systemd: { ...enabled, settle_ms: 7 } },
    without: { systemd: enabled },
    steps: ['settle a.service 7', 'settle a.service 7'],
  },
  symlinks: { manifest: { symlinks: { '/etc/x': 'x' } }, steps: [`link /etc/x -> ${CURRENT}/x`] },
  files: {
    manifest: { files: { x: { mode: '0600' } } },
    steps: ['attributes a x 0600', 'attributes a x 0600'],
  },
  validate: { manifest: { validate: [['true']] }, steps: ['validate a true', 'validate a true'] },
  checks: {
    manifest: { checks: [{ unix: '/run/x' }] },
    steps: ['check unix /run/x for 2000 ()', 'check unix /run/x for 2000 ()'],
  },
}

for (const [key, { manifest, without = {}, steps }] of Object.entries(EFFECTS))
  test(`the steps that a manifest's ${key} adds`, () => {
    const rest = stepsWith(without)
    assert.deepEqual(
      stepsWith(manifest).filter(step => !rest.includes(step)),
      steps,
    )
  })

function stepsWith(manifest: object): string[] {
  const [one, two] = ['1', '2'].map(x =>
    stateOf({
      'a/x': x,
      'a/systemd/a.service': '[Service]\nExecStart=/bin/true\nExecReload=/bin/true\n',
      'a/manifest.json': JSON.stringify(manifest),
    }),
  )
  return [...makeSteps(EMPTY_HOST, one!), ...makeSteps(one!, two!)].map(say)
}
