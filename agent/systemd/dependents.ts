/** Units that systemd stops or restarts along with others. */
import { type UnitName, unitName } from '../../src/plan/names.ts'
import type { Machine } from '../host/machine.ts'
import { showProperties, showUnits } from './systemd.ts'

/** Running units that stop when these stop or start, and those that stop with them in turn. */
export function runningBeside(machine: Machine, units: readonly UnitName[]): UnitName[] {
  return relatedTo(machine, units, [...BOUND, ...CONFLICTING], found =>
    showUnits(machine, found)
      .filter(state => state.active === 'active')
      .map(state => state.unit),
  )
}

/** Those of `beside` that are restarted with the units and have not ended since. */
export function restartedAlong(
  machine: Machine,
  units: readonly UnitName[],
  beside: readonly UnitName[],
): UnitName[] {
  if (beside.length === 0) return []
  const bound = relatedTo(machine, units, BOUND, found => found.filter(unit => beside.includes(unit)))
  return showUnits(machine, bound)
    .filter(state => state.active !== 'inactive')
    .map(state => state.unit)
}

/** Inverses of Requires=, Requisite=, BindsTo=, PartOf= and StopPropagatedFrom=, systemd.unit(5). */
const BOUND = ['RequiredBy', 'RequisiteOf', 'BoundBy', 'ConsistsOf', 'PropagatesStopTo']
const CONFLICTING = ['Conflicts', 'ConflictedBy']

/** All units, or all mounts, conflict with these. They never run. */
const ALWAYS = ['shutdown.target', 'umount.target']

type Choose = (found: readonly UnitName[]) => UnitName[]

function relatedTo(
  machine: Machine,
  from: readonly UnitName[],
  properties: readonly string[],
  choose: Choose,
) {
  const related: UnitName[] = []
  for (let some = from; some.length > 0; ) {
    const named = showProperties(machine, properties, some).match(/[^\s=]+\.[a-z]+/g) ?? []
    const found = new Set(named.flatMap(name => unitName(name) ?? []))
    some = choose([...found].filter(unit => ![...from, ...related, ...ALWAYS].includes(unit)))
    related.push(...some)
  }
  return related
}
