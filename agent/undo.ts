/** Undoing a deployment from its journal: in reverse, and if a step cannot be undone, the others still are. */

import { BASE } from '../src/plan/places.ts'
import { Deferred } from './deferred.ts'
import { describeError, isDiskError } from './host/errors.ts'
import type { Context } from './steps/action.ts'
import { actionFor } from './steps/actions.ts'
import { syncTouched } from './steps/durable.ts'
import { comparisonOf } from './steps/running-before.ts'
import { collectVersion } from './store/collect.ts'
import { readInventory } from './store/inventory.ts'
import type { Journal } from './store/journal.ts'
import type { Store } from './store/store.ts'
import { isGoingDown } from './systemd/systemd.ts'
import { takenDown } from './systemd/taken-down.ts'

interface Undone {
  /** What could not be restored. */
  readonly leftovers: string[]
  /** The disk could not be written to: the undo may succeed later. */
  readonly diskFailed: boolean
  /** systemd no longer starts units, since the host is going down: the undo may succeed after the boot. */
  readonly goingDown: boolean
}

/** Durable when it returns. May be repeated. */
export function undo(journal: Journal, context: Context, store: Store): Undone {
  const { machine } = context
  const { files } = machine
  const leftovers: string[] = []
  let diskFailed = false
  const attempt = (act: () => void, say = describeError) => {
    try {
      act()
    } catch (error) {
      diskFailed ||= isDiskError(error)
      leftovers.push(say(error))
    }
  }
  const deferred = new Deferred()
  const begun = journal.prepared.slice(0, journal.begun + 1)
  const comparison = comparisonOf(begun, readInventory(files).units)
  // While systemd still knows how the new units are related to others.
  attempt(() => {
    for (const unit of takenDown(machine, comparison)) deferred.start.add(unit)
  })
  for (const { step, before } of [...begun].reverse())
    attempt(
      () => actionFor(step).undo(step, before, context, deferred),
      error => `${step.kind}: ${describeError(error)}`,
    )
  leftovers.push(...deferred.carryOut(machine))
  attempt(() => {
    const again = new Deferred()
    // Also what the undo itself has taken down.
    for (const unit of takenDown(machine, { ...comparison, stopped: deferred.handled })) again.start.add(unit)
    leftovers.push(...again.carryOut(machine))
  })
  const goingDown = leftovers.length > 0 && machine.systemd && isGoingDown(machine)
  attempt(() => {
    store.forget(journal.header)
    collectVersion(files, journal.header.to, begun.length > 0)
    // The journal is removed next: what it would restore must be on disk before.
    syncTouched(machine, journal.prepared)
    files.syncFileSystem(BASE)
  })
  return { leftovers, diskFailed, goingDown }
}
