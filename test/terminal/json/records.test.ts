import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { DeploymentId } from '../../../src/plan/deployment-id.ts'
import type { AppName, AppPath, HostName, HostPath, Oid, UnitName } from '../../../src/plan/names.ts'
import type { Step, StepKind, StepOf } from '../../../src/plan/steps.ts'
import type { Refusal } from '../../../src/protocol/messages.ts'
import type { RolloutEvent } from '../../../src/rollout/events.ts'
import { encodeRecord, type JsonRecord } from '../../../src/terminal/json/records.ts'
import { jsonReporter } from '../../../src/terminal/json/reporter.ts'
import { PUBLISHED, recordsOf, SCHEMA } from '../../support/records.ts'

const host = 'web1' as HostName
const app = 'a' as AppName
const oid = 'c'.repeat(40) as Oid
const units = ['a.service'] as UnitName[]
const link = {
  path: '/etc/a' as HostPath,
  target: '/var/lib/deptool/apps/a/current/a' as HostPath,
  role: 'symlink',
} as const
const id = '20261123T074502-3f9a1c0b7e' as DeploymentId

const STEPS: { readonly [K in StepKind]: StepOf<K> } = {
  checkout: { kind: 'checkout', app, tree: oid },
  stop: { kind: 'stop', units },
  disable: { kind: 'disable', units },
  swap: { kind: 'swap', app },
  remove: { kind: 'remove', app },
  unlink: { kind: 'unlink', ...link },
  link: { kind: 'link', ...link },
  validate: { kind: 'validate', app, argv: ['nginx', '-t'] },
  sysusers: { kind: 'sysusers', apps: [app] },
  attributes: {
    kind: 'attributes',
    app,
    files: [{ path: 'key.pem' as AppPath, mode: 0o640, owner: 'root', group: null }],
  },
  tmpfiles: { kind: 'tmpfiles', apps: [app] },
  daemonReload: { kind: 'daemonReload' },
  enable: { kind: 'enable', units },
  restart: { kind: 'restart', units },
  reload: { kind: 'reload', units },
  settle: { kind: 'settle', units, ms: 300 },
  check: {
    kind: 'check',
    app,
    units,
    check: { kind: 'tcp', address: '127.0.0.1', port: 80, withinMs: 2000 },
  },
}

const REFUSALS: { readonly [K in Refusal['kind']]: Extract<Refusal, { kind: K }> } = {
  hostname: { kind: 'hostname', found: 'mail7' },
  busy: { kind: 'busy', holder: 'Bob', since: 1_795_419_902_000, id, msLeft: 1500 },
  stale: { kind: 'stale', current: null },
  spent: { kind: 'spent', outcome: 'undone', why: 'a.service failed' },
  plan: { kind: 'plan', steps: Object.values<Step>(STEPS) },
  preflight: { kind: 'preflight', problems: [{ what: 'no space', hint: null }] },
  error: { kind: 'error', message: 'no' },
}

type Told<K = RolloutEvent['kind']> = K extends unknown
  ? Omit<Extract<RolloutEvent, { kind: K }>, 'host' | 'ms'>
  : never

const EVENTS: { readonly [K in RolloutEvent['kind']]: readonly Told<K>[] } = {
  connecting: [{ kind: 'connecting' }],
  installing: [{ kind: 'installing' }],
  connected: [{ kind: 'connected', aheadMs: 0 }],
  installed: [{ kind: 'installed' }],
  queued: [{ kind: 'queued', behind: { holder: 'Bob', since: 1_795_419_902_000, id, msLeft: null } }],
  waiting: [{ kind: 'waiting' }],
  proving: [{ kind: 'proving' }],
  unproven: [{ kind: 'unproven', why: 'nobody answers' }],
  confirming: [{ kind: 'confirming' }],
  withdrawing: [{ kind: 'withdrawing' }],
  recovered: [{ kind: 'recovered', id, outcome: 'held' }],
  staged: [
    { kind: 'staged', adopted: [{ path: link.path, backup: link.target, differs: true }], notes: ['note'] },
  ],
  wave: [{ kind: 'wave', wave: 2, waves: 3 }],
  step: Object.values<Step>(STEPS).map(step => ({ kind: 'step', step })),
  reconnecting: [{ kind: 'reconnecting', why: 'it was cut' }],
  held: [{ kind: 'held' }],
  undone: [
    {
      kind: 'undone',
      failure: { step: 3, message: 'no', units: [{ unit: units[0]!, state: 'failed', log: ['why'] }] },
      leftovers: ['a link'],
    },
  ],
  refused: Object.values<Refusal>(REFUSALS).map(refusal => ({ kind: 'refused', refusal })),
  unreachable: [{ kind: 'unreachable', message: 'no', hint: null }],
  withdrawn: [{ kind: 'withdrawn' }],
  unknown: [{ kind: 'unknown', why: 'it was cut' }],
}

/** The lines for these events, as they would be written. */
function lines(events: readonly Told[]): string {
  const written: string[] = []
  const reporter = jsonReporter(record => written.push(`${encodeRecord(record)}\n`))
  for (const event of events) reporter.event({ ...event, host, ms: 12.345 } as RolloutEvent)
  return written.join('')
}

for (const [kind, events] of Object.entries(EVENTS))
  test(`'${kind}' is what the schema says`, () => {
    for (const record of recordsOf(lines(events))) {
      assert.equal(record.type === 'event' && record.kind, kind)
      assert.equal(record.type === 'event' && record.ms, 12)
    }
  })

test('steps have all their fields', () => {
  const shown = recordsOf(lines(EVENTS.step)).map(record => 'step' in record && record.step)
  const { attributes } = STEPS
  const octal = { ...attributes, files: [{ ...attributes.files[0], mode: '0640' }] }
  assert.deepEqual(shown, Object.values({ ...STEPS, attributes: octal }))
})

test('a refused plan does not repeat its steps', () => {
  const [record] = recordsOf(lines([{ kind: 'refused', refusal: REFUSALS.plan }]))
  assert.deepEqual(record && 'refusal' in record && record.refusal, { kind: 'plan' })
})

test('what could drive a terminal or hide text is escaped, and is there for programs', () => {
  const message = 'a\x1b[31m\x9b31m\x7f\u202eb\u200b\n'
  const record: JsonRecord = { type: 'error', message, hint: null, exitCode: 1 }
  const line = encodeRecord(record)
  assert.match(line, /^[\x20-\x7e]+$/)
  const [read] = recordsOf(`${line}\n`)
  assert.equal(read?.type === 'error' && read.message, message)
})

test('the published schema lets in what later versions add, and the strict one of the tests does not', () => {
  const [published, strict] = [PUBLISHED, SCHEMA].map(schema =>
    new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema),
  ) as [ValidateFunction, ValidateFunction]
  const known = { schema: 'git-deploy/1', type: 'event', host: 'web1', ms: 1, kind: 'connected' }
  assert.ok(published(known) && strict(known))
  for (const later of [
    { ...known, weather: 'fine' },
    { ...known, kind: 'levitating' },
    { ...known, type: 'weather' },
  ]) {
    assert.ok(published(later), JSON.stringify(published.errors))
    assert.ok(!strict(later))
  }
  // What is described stays described.
  assert.ok(!published({ ...known, ms: 'soon' }))
})
