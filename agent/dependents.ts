/** Units that systemd stops along with others: those that are bound to them, and those that cannot run beside them. */
import { type UnitName, unitName } from '../src/plan/names.ts'
import type { Machine } from './machine.ts'
import { showProperties, showUnits } from './systemd.ts'

/** The units that run, and that stop when these do or when these start; also what stops with those in turn. */
export function runningBeside(machine: Machine, units: readonly UnitName[]): UnitName[] {
  const found: UnitName[] = []
  for (let some = units; some.length > 0; ) {
    const along = stoppedAlong(machine, some).filter(unit => !units.includes(unit) && !found.includes(unit))
    some = showUnits(machine, along)
      .filter(state => state.active === 'active')
      .map(state => state.unit)
    found.push(...some)
  }
  return found
}

function stoppedAlong(machine: Machine, units: readonly UnitName[]): UnitName[] {
  const named = showProperties(machine, STOPPED_ALONG, units).match(/[^\s=]+\.[a-z]+/g) ?? []
  return [...new Set(named.flatMap(name => unitName(name) ?? []))]
}

/** systemd.unit(5), under 'Mapping of unit properties to their inverses'. */
const STOPPED_ALONG = [
  ...['RequiredBy', 'RequisiteOf', 'BoundBy', 'ConsistsOf', 'PropagatesStopTo'],
  ...['Conflicts', 'ConflictedBy'],
]
