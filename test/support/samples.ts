/** One valid message of each kind, for tests that spoil them. */
import { FILE_DRIFT, LINK_DRIFT } from '../../src/plan/drift.ts'

const OID = 'a'.repeat(40)
const ID = '20261123T074502-3f9a1c0b7e'
const PATH = '/etc/a'
const units = ['a.service']

const repair = {
  apps: ['a'],
  links: [PATH],
  enable: units,
  restart: units,
  goneApps: ['b'],
  goneLinks: [{ path: PATH, target: PATH }],
  goneUnits: units,
}

export const REQUESTS: readonly unknown[] = [
  {
    type: 'deploy',
    id: ID,
    host: 'web1',
    operator: 'Ada',
    from: null,
    to: OID,
    digest: 'd',
    confirmMs: 1000,
    adopt: false,
    reconnect: false,
    repair,
  },
  { type: 'objects', objects: [{ oid: OID, bytes: Buffer.from('bytes'), last: true }] },
  { type: 'stage' },
  { type: 'activate' },
  { type: 'confirm', id: ID },
  { type: 'undo', id: ID, why: 'why' },
  { type: 'ask', id: ID },
  { type: 'verify' },
  { type: 'fetch', have: OID },
  { type: 'ping' },
]

const steps = [
  { kind: 'checkout', app: 'a', tree: OID },
  { kind: 'stop', units },
  { kind: 'swap', app: 'a' },
  { kind: 'link', path: PATH, target: PATH, role: 'symlink' },
  { kind: 'settle', units, ms: 300 },
]

const findings = [
  ...FILE_DRIFT.map(how => ({ kind: 'file', app: 'a', path: 'b/c', how })),
  ...LINK_DRIFT.map(how => ({ kind: 'link', path: PATH, how })),
  { kind: 'more', app: 'a', count: 3 },
  { kind: 'current', app: 'a', found: null },
  { kind: 'disabled', unit: 'a.service', state: 'disabled' },
  { kind: 'unit', unit: 'a.service', state: 'failed' },
  { kind: 'leftoverApp', app: 'b' },
  { kind: 'leftoverLink', path: PATH, target: PATH },
  { kind: 'leftoverUnit', unit: 'a.service' },
  { kind: 'object', oid: OID },
  { kind: 'journal' },
  { kind: 'damaged', id: ID, why: 'why' },
]

export const REPLIES: readonly unknown[] = [
  {
    type: 'hello',
    version: '1',
    build: 'b',
    hostname: 'web1',
    current: OID,
    recovered: { id: ID, outcome: 'undone' },
    pending: null,
    now: 1,
  },
  { type: 'refused', refusal: { kind: 'plan', steps } },
  { type: 'refused', refusal: { kind: 'busy', holder: 'Ada', since: 1, id: ID, msLeft: null } },
  { type: 'refused', refusal: { kind: 'preflight', problems: [{ what: 'w', hint: null }] } },
  { type: 'staged', adopted: [{ path: PATH, backup: PATH, differs: true }], notes: ['note'] },
  { type: 'step', index: 1 },
  { type: 'settled', ms: 0 },
  {
    type: 'undone',
    failure: { step: 1, message: 'm', units: [{ unit: 'a.service', state: 's', log: ['l'] }] },
    leftovers: ['l'],
  },
  { type: 'outcome', id: ID, outcome: 'held', why: '' },
  {
    type: 'fetched',
    current: OID,
    log: [
      { id: ID, from: null, to: OID, operator: 'Ada', outcome: 'held', why: '', at: 1, ms: 2, subject: 's' },
    ],
    unread: [ID],
  },
  { type: 'pong' },
  {
    type: 'verified',
    findings,
    pending: { holder: 'Ada', since: 1, id: ID, msLeft: 1 },
    last: { id: ID, outcome: 'held', why: '' },
  },
]
