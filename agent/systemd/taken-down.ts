/** Units that a deployment takes down unasked, found by comparing what runs with what ran before. */
import { templateOf, type UnitName, unitName } from '../../src/plan/names.ts'
import type { Machine } from '../host/machine.ts'
import { listRunning, showProperties } from './systemd.ts'

export interface Comparison {
  /** Everything that ran before the first step that touches units. */
  readonly ran: readonly UnitName[]
  /** The units that the plan stops, starts, restarts or reloads. */
  readonly planned: readonly UnitName[]
  /** Those of them that are to stop. */
  readonly stopped: readonly UnitName[]
  /** Enabled by git-deploy. */
  readonly ours: readonly UnitName[]
}

/**
 * The units that ran, were not to be stopped, and do not run any more: those of ours, and those that went down because
 * of the plan's units. Units that have ended by themselves are none of them.
 */
export function takenDown(machine: Machine, comparison: Comparison): UnitName[] {
  const deadline = machine.ticks() + CHANGING_MS
  for (;;) {
    const down = findDown(machine, comparison)
    const isChanging = down.some(({ of }) => of('ActiveState') === 'deactivating' || Number(of('Job')) > 0)
    if (!isChanging || machine.ticks() >= deadline) return down.map(({ unit }) => unit)
    machine.sleep(POLL_MS)
  }
}

/** A unit that stops, or is to be started, may run again soon. */
const CHANGING_MS = 10_000
const POLL_MS = 50

function findDown(machine: Machine, comparison: Comparison): Facts[] {
  const { ran, planned, ours } = comparison
  if (ran.length === 0) return []
  const stopped = new Set([...comparison.stopped, ...comparison.stopped.map(templateOf)])
  const running = new Set(listRunning(machine))
  const gone = ran.filter(unit => !running.has(unit) && !stopped.has(unit) && !stopped.has(templateOf(unit)))
  const down = factsOf(machine, gone)
    // It may have started again by now.
    .filter(({ of }) => !['active', 'activating', 'reloading'].includes(of('ActiveState')))
    .filter(facts => !hasEndedByItself(machine, facts))
  const cause = {
    machine,
    down: new Set(down.map(({ unit }) => unit)),
    planned: new Set([...planned, ...planned.map(templateOf)]),
    ran: new Set(ran),
  }
  return down.filter(facts => (ours.includes(facts.unit) && !isForgotten(facts)) || isCaused(facts, cause))
}

interface Facts {
  readonly unit: UnitName
  readonly of: (property: string) => string
  readonly unitsOf: (properties: readonly string[]) => UnitName[]
}

/** The unit goes down with these, systemd.unit(5). */
const NEEDS = ['Requires', 'Requisite', 'BindsTo', 'PartOf', 'StopPropagatedFrom']
const CONFLICTS = ['Conflicts', 'ConflictedBy']
/** The unit comes up with these. */
const PULLED_BY = ['WantedBy', 'RequiredBy', 'RequisiteOf', 'BoundBy', 'UpheldBy', 'TriggeredBy']

const PROPERTIES = [
  ...['LoadState', 'ActiveState', 'Job', 'Type', 'RemainAfterExit', 'RemainAfterElapse', 'StopWhenUnneeded'],
  ...['ActiveExitTimestampMonotonic', 'ExecMainExitTimestampMonotonic'],
  ...[...NEEDS, ...CONFLICTS, ...PULLED_BY],
]

function factsOf(machine: Machine, units: readonly UnitName[]): Facts[] {
  if (units.length === 0) return []
  const blocks = showProperties(machine, PROPERTIES, units).trim().split('\n\n')
  return units.map((unit, i) => {
    const values = new Map(blocks[i]?.split('\n').map(line => line.split(/=(.*)/, 2) as [string, string]))
    const of = (property: string) => values.get(property) ?? ''
    const unitsOf = (properties: readonly string[]) =>
      properties.flatMap(property =>
        of(property)
          .split(' ')
          .flatMap(name => unitName(name) ?? []),
      )
    return { unit, of, unitsOf }
  })
}

/**
 * Finished oneshots, services that end when they are idle, jobs, connections, and what was made for the moment. When
 * systemd stops a service, its state changes before its main process ends; otherwise, after that.
 */
function hasEndedByItself(machine: Machine, { unit, of }: Facts): boolean {
  if (of('LoadState') !== 'loaded' || of('StopWhenUnneeded') === 'yes') return true
  if (of('ActiveState') === 'failed') return false
  if (!unit.endsWith('.service')) return of('RemainAfterElapse') === 'no'
  if (of('RemainAfterExit') === 'yes') return false
  const [left, exited] = [of('ActiveExitTimestampMonotonic'), of('ExecMainExitTimestampMonotonic')].map(
    Number,
  )
  return of('Type') === 'oneshot' || isConnection(machine, unit) || (exited! > 0 && left! >= exited!)
}

/** systemd unloads idle units that nothing refers to. How such a unit has ended is unknown. */
function isForgotten({ of }: Facts): boolean {
  return !(Number(of('ActiveExitTimestampMonotonic')) > 0)
}

/** With Accept=yes, a socket has a service for each connection. */
function isConnection(machine: Machine, unit: UnitName): boolean {
  const [, name] = /^(.+)@.*\.service$/.exec(unit) ?? []
  return name !== undefined && /^Accept=yes$/m.test(showProperties(machine, ['Accept'], [`${name}.socket`]))
}

interface Cause {
  readonly machine: Machine
  /** All that went down. */
  readonly down: ReadonlySet<UnitName>
  readonly planned: ReadonlySet<UnitName>
  readonly ran: ReadonlySet<UnitName>
}

/** Whether it went down along with a unit of the plan, or because one has started, or has started another. */
function isCaused(facts: Facts, cause: Cause, seen: ReadonlySet<UnitName> = new Set()): boolean {
  const { machine, down } = cause
  const needed = facts.unitsOf(NEEDS)
  if ([...needed, ...facts.unitsOf(CONFLICTS)].some(unit => isPlanned(unit, cause))) return true
  if (facts.unitsOf(CONFLICTS).some(unit => isStarted(unit, cause))) return true
  const along = needed.filter(unit => down.has(unit) && !seen.has(unit))
  return factsOf(machine, along).some(one => isCaused(one, cause, new Set([...seen, ...along, facts.unit])))
}

function isPlanned(unit: UnitName, { planned }: Cause): boolean {
  return planned.has(unit) || planned.has(templateOf(unit))
}

/** Whether a unit that did not run before was pulled up by the plan's units. */
function isStarted(unit: UnitName, cause: Cause, seen: ReadonlySet<UnitName> = new Set()): boolean {
  if (cause.ran.has(unit) || seen.has(unit)) return false
  const by = factsOf(cause.machine, [unit]).flatMap(facts => facts.unitsOf(PULLED_BY))
  const further = new Set([...seen, unit])
  return by.some(one => isPlanned(one, cause) || isStarted(one, cause, further))
}
