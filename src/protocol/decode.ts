/** Checks what MessagePack made of the peer's bytes. Every decoder throws ProtocolError, with the name of the field. */
import type { FileAttributes } from '../plan/attributes.ts'
import type { Check } from '../plan/checks.ts'
import { type DeploymentId, deploymentId } from '../plan/deployment-id.ts'
import { FILE_DRIFT, type Finding, LINK_DRIFT, type Repair } from '../plan/drift.ts'
import {
  appName,
  appPath,
  type HostName,
  type HostPath,
  hostName,
  hostPath,
  type Oid,
  oid,
  unitName,
} from '../plan/names.ts'
import { LINK_ROLES } from '../plan/places.ts'
import type { Step, StepKind, StepOf } from '../plan/steps.ts'
import {
  bytes,
  choice,
  type Decoder,
  integer,
  list,
  literal,
  name,
  nullable,
  record,
  text,
  truth,
  variant,
  wrong,
} from './decoders.ts'
import {
  type Failure,
  type LoggedDeployment,
  type ObjectChunk,
  type Obstacle,
  OUTCOMES,
  type OutcomeRecord,
  type Refusal,
  type Reply,
  type Request,
  type UnitReport,
} from './messages.ts'

export function decodeRequest(value: unknown): Request {
  return variant<Request>({
    deploy: record<Request & { type: 'deploy' }>({
      type: literal('deploy'),
      id,
      host: name(hostName, 'a host name') as Decoder<HostName>,
      operator: text,
      from: nullable(object),
      to: object,
      digest: text,
      confirmMs: integer,
      adopt: truth,
      reconnect: truth,
      repair: nullable(repair),
    }),
    objects: record<Request & { type: 'objects' }>({ type: literal('objects'), objects: list(chunk) }),
    stage: record<Request & { type: 'stage' }>({ type: literal('stage') }),
    activate: record<Request & { type: 'activate' }>({ type: literal('activate') }),
    confirm: record<Request & { type: 'confirm' }>({ type: literal('confirm'), id }),
    undo: record<Request & { type: 'undo' }>({ type: literal('undo'), id, why: text }),
    wait: record<Request & { type: 'wait' }>({ type: literal('wait'), id }),
    ask: record<Request & { type: 'ask' }>({ type: literal('ask'), id }),
    fetch: record<Request & { type: 'fetch' }>({ type: literal('fetch'), have: nullable(object) }),
    ping: record<Request & { type: 'ping' }>({ type: literal('ping') }),
    verify: record<Request & { type: 'verify' }>({ type: literal('verify') }),
  })(value, 'request')
}

export function decodeReply(value: unknown): Reply {
  return variant<Reply>({
    hello: record<Reply & { type: 'hello' }>({
      type: literal('hello'),
      version: text,
      build: text,
      hostname: text,
      current: nullable(object),
      recovered: nullable(record({ id, outcome })),
      pending: nullable(record(pending)),
      now: clock,
    }),
    refused: record<Reply & { type: 'refused' }>({ type: literal('refused'), refusal }),
    staged: record<Reply & { type: 'staged' }>({
      type: literal('staged'),
      adopted: list(record({ path, backup: path, differs: truth })),
      notes: list(text),
    }),
    step: record<Reply & { type: 'step' }>({ type: literal('step'), index: integer }),
    settled: record<Reply & { type: 'settled' }>({ type: literal('settled'), ms: integer }),
    undone: record<Reply & { type: 'undone' }>({ type: literal('undone'), failure, leftovers: list(text) }),
    outcome: record<Reply & { type: 'outcome' }>({ type: literal('outcome'), id, outcome, why: text }),
    objects: record<Reply & { type: 'objects' }>({ type: literal('objects'), objects: list(chunk) }),
    fetched: record<Reply & { type: 'fetched' }>({
      type: literal('fetched'),
      current: nullable(object),
      log: list(logged),
      unread: list(id),
    }),
    pong: record<Reply & { type: 'pong' }>({ type: literal('pong') }),
    verified: record<Reply & { type: 'verified' }>({
      type: literal('verified'),
      findings: list(finding),
      pending: nullable(record(pending)),
      last: nullable(record({ id, outcome, why: text })),
    }),
  })(value, 'reply')
}

/** A record of the host's log, which an operator there may have edited. */
export function decodeOutcomeRecord(value: unknown): OutcomeRecord {
  return record<OutcomeRecord>(recorded)(value, 'record')
}

/** In milliseconds since 1970, in a year of four digits: a Date can hold it in any time zone. */
const moment: Decoder<number> = (value, at) =>
  integer(value, at) < Date.UTC(10_000, 0) ? (value as number) : wrong(at, 'a time')
/** The first builds did not say it, and are still recognised by their build. */
const clock: Decoder<number> = (value, at) => (value === undefined ? 0 : moment(value, at))
export const id = name<DeploymentId>(deploymentId, 'a deployment id')
export const object = name<Oid>(oid, 'an object name')
const path = name<HostPath>(hostPath, 'an absolute path')
export const unit = name(unitName, 'a unit name')
const outcome = choice(OUTCOMES)
const role = choice(LINK_ROLES)
const app = name(appName, 'an app name')

const chunk = record<ObjectChunk>({ oid: object, bytes, last: truth })
const report = record<UnitReport>({ unit, state: text, log: list(text) })
const failure = record<Failure>({ step: nullable(integer), message: text, units: list(report) })
const obstacle = record<Obstacle>({ what: text, hint: nullable(text) })

const idOrNone: Decoder<DeploymentId | ''> = (value, at) => (value === '' ? value : id(value, at))
const pending = { holder: text, since: moment, id: idOrNone, msLeft: nullable(integer) }

const recorded = {
  id,
  from: nullable(object),
  to: object,
  operator: text,
  outcome,
  why: text,
  at: moment,
  ms: integer,
}
const logged = record<LoggedDeployment>({ ...recorded, subject: nullable(text) })
const attributes = record<FileAttributes>({
  path: name(appPath, 'a path inside an app'),
  mode: nullable(integer),
  owner: nullable(text),
  group: nullable(text),
})
const at = { address: text, port: integer, withinMs: integer }
const check = variant<Check, 'kind'>(
  {
    tcp: record<Check & { kind: 'tcp' }>({ kind: literal('tcp'), ...at }),
    unix: record<Check & { kind: 'unix' }>({ kind: literal('unix'), path, withinMs: integer }),
    http: record<Check & { kind: 'http' }>({
      kind: literal('http'),
      ...at,
      target: text,
      host: text,
      status: integer,
    }),
  },
  'kind',
)

const repair: Decoder<Repair> = record<Repair>({
  apps: list(app),
  links: list(path),
  enable: list(unit),
  restart: list(unit),
  goneApps: list(app),
  goneLinks: list(record({ path, target: path })),
  goneUnits: list(unit),
})

const finding = variant<Finding, 'kind'>(
  {
    file: record<Finding & { kind: 'file' }>({
      kind: literal('file'),
      app,
      path: name(appPath, 'a path inside an app'),
      how: choice(FILE_DRIFT),
    }),
    more: record<Finding & { kind: 'more' }>({ kind: literal('more'), app, count: integer }),
    current: record<Finding & { kind: 'current' }>({ kind: literal('current'), app, found: nullable(text) }),
    link: record<Finding & { kind: 'link' }>({ kind: literal('link'), path, how: choice(LINK_DRIFT) }),
    disabled: record<Finding & { kind: 'disabled' }>({ kind: literal('disabled'), unit, state: text }),
    unit: record<Finding & { kind: 'unit' }>({ kind: literal('unit'), unit, state: text }),
    leftoverApp: record<Finding & { kind: 'leftoverApp' }>({ kind: literal('leftoverApp'), app }),
    leftoverLink: record<Finding & { kind: 'leftoverLink' }>({
      kind: literal('leftoverLink'),
      path,
      target: path,
    }),
    leftoverUnit: record<Finding & { kind: 'leftoverUnit' }>({ kind: literal('leftoverUnit'), unit }),
    object: record<Finding & { kind: 'object' }>({ kind: literal('object'), oid: object }),
    journal: record<Finding & { kind: 'journal' }>({ kind: literal('journal') }),
    damaged: record<Finding & { kind: 'damaged' }>({ kind: literal('damaged'), id, why: text }),
  },
  'kind',
)

/** What is known of each kind of step. */
export const steps: { readonly [K in StepKind]: Decoder<StepOf<K>> } = {
  checkout: record<StepOf<'checkout'>>({ kind: literal('checkout'), app, tree: object }),
  validate: record<StepOf<'validate'>>({ kind: literal('validate'), app, argv: list(text) }),
  sysusers: record<StepOf<'sysusers'>>({ kind: literal('sysusers'), apps: list(app) }),
  attributes: record<StepOf<'attributes'>>({ kind: literal('attributes'), app, files: list(attributes) }),
  stop: record<StepOf<'stop'>>({ kind: literal('stop'), units: list(unit) }),
  disable: record<StepOf<'disable'>>({ kind: literal('disable'), units: list(unit) }),
  swap: record<StepOf<'swap'>>({ kind: literal('swap'), app }),
  remove: record<StepOf<'remove'>>({ kind: literal('remove'), app }),
  unlink: record<StepOf<'unlink'>>({ kind: literal('unlink'), path, target: path, role }),
  link: record<StepOf<'link'>>({ kind: literal('link'), path, target: path, role }),
  tmpfiles: record<StepOf<'tmpfiles'>>({ kind: literal('tmpfiles'), apps: list(app) }),
  daemonReload: record<StepOf<'daemonReload'>>({ kind: literal('daemonReload') }),
  enable: record<StepOf<'enable'>>({ kind: literal('enable'), units: list(unit) }),
  restart: record<StepOf<'restart'>>({ kind: literal('restart'), units: list(unit) }),
  reload: record<StepOf<'reload'>>({ kind: literal('reload'), units: list(unit) }),
  settle: record<StepOf<'settle'>>({ kind: literal('settle'), units: list(unit), ms: integer }),
  check: record<StepOf<'check'>>({ kind: literal('check'), app, check, units: list(unit) }),
}
export const step = variant<Step, 'kind'>(steps, 'kind')

const refusal = variant<Refusal, 'kind'>(
  {
    hostname: record<Refusal & { kind: 'hostname' }>({ kind: literal('hostname'), found: text }),
    busy: record<Refusal & { kind: 'busy' }>({
      kind: literal('busy'),
      ...pending,
    }),
    stale: record<Refusal & { kind: 'stale' }>({ kind: literal('stale'), current: nullable(object) }),
    spent: record<Refusal & { kind: 'spent' }>({ kind: literal('spent'), outcome, why: text }),
    plan: record<Refusal & { kind: 'plan' }>({ kind: literal('plan'), steps: list(step) }),
    preflight: record<Refusal & { kind: 'preflight' }>({
      kind: literal('preflight'),
      problems: list(obstacle),
    }),
    error: record<Refusal & { kind: 'error' }>({ kind: literal('error'), message: text }),
  },
  'kind',
)
