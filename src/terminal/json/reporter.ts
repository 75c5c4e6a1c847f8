import type { Step, StepKind, StepOf } from '../../plan/steps.ts'
import type { Refusal } from '../../protocol/messages.ts'
import type { HostEnd, RolloutEvent } from '../../rollout/events.ts'
import type { Reporter, ShownPlan } from '../reporter.ts'
import { inProgressJson } from './hosts.ts'
import type { JsonAttributes, JsonEnd, JsonEvent, JsonRecord, JsonRefusal, JsonStep } from './records.ts'

/** A record for everything that happens, when it happens. */
export function jsonReporter(emit: (record: JsonRecord) => void): Reporter {
  return {
    plan(shown) {
      for (const record of planRecords(shown)) emit(record)
    },
    begin({ id, cluster, operator, hosts }) {
      emit({ type: 'begin', deployment: id, cluster, operator, hosts })
    },
    event(event) {
      const { host, ms } = event
      emit({ type: 'event', host, ms: Math.round(ms), ...eventJson(event) })
    },
    end() {},
    conclude({ id, cluster, outcome, ends, ms }) {
      const hosts = Object.fromEntries([...ends].map(([host, end]) => [host, end.kind]))
      emit({ type: 'end', deployment: id, cluster, outcome, ms: Math.round(ms), hosts })
    },
  }
}

function planRecords({ plan, source, saved, digest }: ShownPlan): JsonRecord[] {
  const { cluster, hosts, vanished, leaving, total, leftOut, unsettled, takenBack } = plan
  return [
    {
      type: 'plan',
      cluster,
      source,
      hosts: total,
      changed: hosts.length,
      vanished,
      leaving,
      leftOut,
      unsettled,
      takenBack,
      saved,
    },
    ...hosts.map((host): JsonRecord => {
      const { steps, repair: _, ...fields } = host
      return { type: 'host', ...fields, digest: digest(host), steps: steps.map(stepJson) }
    }),
  ]
}

/** The fields of each step that are shown to programs. */
const FIELDS: { readonly [K in StepKind]: readonly Exclude<keyof StepOf<K>, 'kind'>[] } = {
  checkout: ['app', 'tree'],
  stop: ['units'],
  disable: ['units'],
  swap: ['app'],
  remove: ['app'],
  unlink: ['path', 'target', 'role'],
  link: ['path', 'target', 'role'],
  validate: ['app', 'argv'],
  sysusers: ['apps'],
  attributes: ['app', 'files'],
  tmpfiles: ['apps'],
  daemonReload: [],
  enable: ['units'],
  restart: ['units'],
  reload: ['units', 'orRestart'],
  settle: ['units', 'ms', 'always', 'reloaded'],
  check: ['app', 'check', 'units'],
}

function stepJson(step: Step): JsonStep {
  const fields: Readonly<Record<string, unknown>> = { ...step }
  const shown = FIELDS[step.kind].map(name => [name, fields[name]])
  return { kind: step.kind, ...Object.fromEntries(shown), ...attributesJson(step) }
}

/** Modes as chmod(1) takes them. */
function attributesJson(step: Step): { readonly files?: readonly JsonAttributes[] } {
  if (step.kind !== 'attributes') return {}
  const octal = (mode: number | null) => (mode === null ? null : mode.toString(8).padStart(4, '0'))
  return {
    files: step.files.map(({ path, mode, owner, group }) => ({ path, mode: octal(mode), owner, group })),
  }
}

function eventJson(event: RolloutEvent): JsonEvent {
  switch (event.kind) {
    case 'connecting':
    case 'installing':
    case 'connected':
    case 'installed':
    case 'proving':
    case 'waiting':
    case 'confirming':
    case 'withdrawing':
      return { kind: event.kind }
    case 'recovered':
      return { kind: 'recovered', deployment: event.id, outcome: event.outcome }
    case 'staged':
      return { kind: 'staged', adopted: event.adopted, notes: event.notes }
    case 'wave':
      return { kind: 'wave', wave: event.wave, waves: event.waves }
    case 'step':
      return { kind: 'step', step: stepJson(event.step) }
    case 'restarted':
      return { kind: 'restarted', units: event.units }
    case 'watching':
      return { kind: 'watching', units: event.units, forMs: event.forMs }
    case 'reconnecting':
      return { kind: 'reconnecting', why: event.why }
    case 'unproven':
      return { kind: 'unproven', why: event.why }
    case 'queued':
      return { kind: 'queued', ...inProgressJson(event.behind) }
    default:
      return endJson(event)
  }
}

function endJson(end: HostEnd): JsonEnd {
  switch (end.kind) {
    case 'held':
    case 'withdrawn':
      return { kind: end.kind }
    case 'undone':
      return { kind: 'undone', failure: end.failure, leftovers: end.leftovers }
    case 'refused':
      return { kind: 'refused', refusal: refusalJson(end.refusal) }
    case 'unreachable':
      return { kind: 'unreachable', message: end.message, hint: end.hint }
    case 'unknown':
      return { kind: 'unknown', why: end.why }
  }
}

function refusalJson(refusal: Refusal): JsonRefusal {
  switch (refusal.kind) {
    case 'hostname':
      return { kind: 'hostname', found: refusal.found }
    case 'busy':
      return { kind: 'busy', ...inProgressJson(refusal) }
    case 'stale':
      return { kind: 'stale', current: refusal.current }
    case 'spent':
      return { kind: 'spent', outcome: refusal.outcome, why: refusal.why }
    case 'plan':
      return { kind: 'plan' }
    case 'preflight':
      return { kind: 'preflight', problems: refusal.problems }
    case 'error':
      return { kind: 'error', message: refusal.message }
  }
}
