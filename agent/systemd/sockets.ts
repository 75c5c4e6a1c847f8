/** Restarting sockets: systemd refuses to start a socket whose service is running. */
import { type UnitName, unitName } from '../../src/plan/names.ts'
import type { Machine } from '../host/machine.ts'
import { isRunning, showProperties, showUnits, systemctl } from './systemd.ts'

/**
 * Stops the sockets among the units together with their running services. Returns the units to start instead: the
 * sockets first, and those services too.
 */
export function freeSockets(
  machine: Machine,
  units: readonly UnitName[],
  interrupted?: () => boolean,
): readonly UnitName[] {
  const sockets = units.filter(isSocket)
  const served = runningBehind(machine, units)
  // Together: a socket that still listens would start its service again for a waiting client.
  if (served.length > 0) systemctl(machine, ['stop'], [...sockets, ...served], interrupted)
  return [...new Set([...sockets, ...units, ...served])]
}

/** The running services of the sockets among the units. */
export function runningBehind(machine: Machine, units: readonly UnitName[]): UnitName[] {
  // With Accept=yes, each connection has its own service, which no longer needs the socket.
  return showUnits(machine, triggeredBy(machine, units, 'no'))
    .filter(isRunning)
    .map(state => state.unit)
}

/** The services of single connections, with Accept=yes: they cannot be started again. */
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
