/** What an undo still owes systemd once files and links are back: those must be in place first. */
import { SETTLE_MS } from '../src/plan/manifest.ts'
import type { UnitName } from '../src/plan/names.ts'
import type { Machine } from './machine.ts'
import { makeWay } from './sockets.ts'
import { resetFailed, showUnits, systemctl, withInstances } from './systemd.ts'
import { watch } from './watch.ts'

export class Owed {
  daemonReload = false
  readonly restart = new Set<UnitName>()
  /** Units that may have no file any more. Others, or a socket, may have started them. */
  readonly withoutFile = new Set<UnitName>()

  /** Pays, and says what does not run afterwards. */
  pay(machine: Machine): string[] {
    if (!machine.systemd) return []
    const began = machine.ticks()
    const leftovers: string[] = []
    const attempt = (act: () => void) => {
      try {
        act()
      } catch (error) {
        leftovers.push((error as Error).message)
      }
    }
    if (this.daemonReload) attempt(() => systemctl(machine, ['daemon-reload']))
    attempt(() => stopWithoutFile(machine, [...this.withoutFile]))
    const units = [...this.restart].sort()
    if (units.length === 0) return leftovers
    attempt(() => resetFailed(machine, units))
    attempt(() => systemctl(machine, ['restart'], makeWay(machine, units)))
    attempt(() => {
      for (const { unit, fails } of watch(machine, units, { began, settleMs: SETTLE_MS, stop: () => false }))
        leftovers.push(`${unit} ${fails}`)
    })
    return leftovers
  }
}

function stopWithoutFile(machine: Machine, units: readonly UnitName[]): void {
  const left = showUnits(machine, withInstances(machine, units))
    .filter(state => state.load === 'not-found' && state.active !== 'inactive')
    .map(state => state.unit)
  if (left.length === 0) return
  systemctl(machine, ['stop'], left)
  resetFailed(machine, left)
}
