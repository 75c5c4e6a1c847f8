/** Sockets among the units to start: systemd refuses to listen for a service that runs already. */
import { type UnitName, unitName } from '../../src/plan/names.ts'
import type { Machine } from '../host/machine.ts'
import { isRunning, showProperties, showUnits, systemctl } from './systemd.ts'

/**
 * Stops the sockets among the units together with the services that they have started, and gives what is then to be
 * started: the sockets first, and those services too.
 */
export function makeWay(
  machine: Machine,
  units: readonly UnitName[],
  interrupted?: () => boolean,
): readonly UnitName[] {
  const sockets = units.filter(isSocket)
  const served = runningBehind(machine, units)
  // At once: a socket that still listens starts its service again for whoever is waiting there.
  if (served.length > 0) systemctl(machine, ['stop'], [...sockets, ...served], interrupted)
  return [...new Set([...sockets, ...units, ...served])]
}

/** The services that run, and that the sockets among the units start. */
export function runningBehind(machine: Machine, units: readonly UnitName[]): UnitName[] {
  // With Accept=yes each connection has a service of its own, which needs the socket no more.
  return showUnits(machine, triggeredBy(machine, units, 'no'))
    .filter(isRunning)
    .map(state => state.unit)
}

/** The services of single connections: what ends with its connection nobody can start again. */
export function connectionsOf(machine: Machine, units: readonly UnitName[]): UnitName[] {
  return triggeredBy(machine, units, 'yes')
}

function triggeredBy(machine: Machine, units: readonly UnitName[], accept: 'yes' | 'no'): UnitName[] {
  const sockets = units.filter(isSocket)
  if (sockets.length === 0) return []
  return showProperties(machine, ['Accept', 'Triggers'], sockets)
    .split('\n\n')
    .filter(block => /^Accept=yes$/m.test(block) === (accept === 'yes'))
    .flatMap(block => /^Triggers=(.*)$/m.exec(block)?.[1]?.split(' ') ?? [])
    .flatMap(name => unitName(name) ?? [])
}

function isSocket(unit: UnitName): boolean {
  return unit.endsWith('.socket')
}
