/** What an undo asks of systemd when all files and links are restored, since units start from them. */
import { SETTLE_MS } from '../src/plan/manifest.ts'
import type { UnitName } from '../src/plan/names.ts'
import type { Machine } from './host/machine.ts'
import { findOutdated } from './systemd/old-versions.ts'
import { freeSockets } from './systemd/sockets.ts'
import { isRunning, resetFailed, showUnits, systemctl, withInstances } from './systemd/systemd.ts'
import { watch } from './systemd/watch.ts'

export class Deferred {
  daemonReload = false
  readonly restart = new Set<UnitName>()
  /** Units that were reloaded: reloaded again with the old files, and restarted if that fails. */
  readonly reload = new Set<UnitName>()
  /** Units that failed before: started, but not expected to run. */
  readonly retry = new Set<UnitName>()
  /** Units that no step names, and that systemd may have stopped along with others. */
  readonly start = new Set<UnitName>()
  /** Units that may no longer have a file. Other units, or a socket, may have started them. */
  readonly withoutFile = new Set<UnitName>()

  get handled(): readonly UnitName[] {
    return [...this.restart, ...this.reload, ...this.retry, ...this.start]
  }

  /** Returns what failed, and the units that do not run. */
  carryOut(machine: Machine): string[] {
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
    const reload = [...this.reload].filter(unit => !this.restart.has(unit)).sort()
    attempt(() => {
      for (const unit of unlessReloaded(machine, reload)) this.restart.add(unit)
    })
    const [units, retried] = [[...this.restart].sort(), [...this.retry].sort()]
    const watched = [...units]
    attempt(() => resetFailed(machine, [...units, ...retried]))
    if (units.length > 0) attempt(() => systemctl(machine, ['restart'], freeSockets(machine, units)))
    if (retried.length > 0) attempt(() => systemctl(machine, ['restart', '--no-block'], retried))
    const others = [...this.start].filter(unit => ![...units, ...reload, ...retried].includes(unit))
    attempt(() => watched.push(...startStopped(machine, others.sort())))
    if (watched.length === 0) return leftovers
    attempt(() => {
      for (const { unit, fails } of watch(machine, watched, { began, ms: SETTLE_MS, stop: () => false }))
        leftovers.push(`${unit} ${fails}`)
    })
    return leftovers
  }
}

/** Reloads the units, and returns those that have to be restarted. */
function unlessReloaded(machine: Machine, units: readonly UnitName[]): readonly UnitName[] {
  const runs = showUnits(machine, units).filter(({ active }) => active === 'active' || active === 'reloading')
  const reloaded = runs.map(({ unit }) => unit)
  if (reloaded.length === 0) return units
  const began = machine.ticks()
  try {
    systemctl(machine, ['reload-or-restart'], reloaded)
  } catch {
    // What did not work is restarted, and a failure of that is reported.
  }
  const running = stillRunning(machine, reloaded, began)
  const outdated = findOutdated(machine, running).map(({ unit }) => unit)
  const worked = showUnits(machine, running)
    .filter(({ unit, reload }) => (reload === 'success' || reload === '') && !outdated.includes(unit))
    .map(({ unit }) => unit)
  return units.filter(unit => !worked.includes(unit))
}

function stillRunning(machine: Machine, reloaded: readonly UnitName[], began: number): readonly UnitName[] {
  const failing = watch(machine, reloaded, { began, ms: SETTLE_MS, reloaded, stop: () => false })
  const others = reloaded.filter(unit => !failing.some(one => one.unit === unit))
  return failing.length === 0 || others.length === 0 ? others : stillRunning(machine, others, began)
}

function stopWithoutFile(machine: Machine, units: readonly UnitName[]): void {
  const left = showUnits(machine, withInstances(machine, units))
    .filter(state => state.load === 'not-found' && state.active !== 'inactive')
    .map(state => state.unit)
  if (left.length === 0) return
  systemctl(machine, ['stop'], left)
  resetFailed(machine, left)
}

/** Starts those that do not run, and returns them. */
function startStopped(machine: Machine, units: readonly UnitName[]): UnitName[] {
  const stopped = showUnits(machine, units)
    .filter(state => !isRunning(state))
    .map(state => state.unit)
  if (stopped.length === 0) return []
  resetFailed(machine, stopped)
  systemctl(machine, ['start'], stopped)
  return stopped
}
