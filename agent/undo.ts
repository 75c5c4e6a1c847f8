/** Undoing a deployment from its journal: in reverse, each step for itself, so that one that fails stops no other. */

import { BASE } from '../src/plan/places.ts'
import { Deferred } from './deferred.ts'
import { isHindrance, wordsFor } from './host/trouble.ts'
import type { Context } from './steps/action.ts'
import { actionFor } from './steps/actions.ts'
import { syncTouched } from './steps/durable.ts'
import { collectVersion } from './store/collect.ts'
import type { Journal } from './store/journal.ts'
import type { Store } from './store/store.ts'
import { isGoingDown } from './systemd/systemd.ts'

interface Undone {
  /** What did not go back to what it was; empty when all is as before. */
  readonly leftovers: string[]
  /** Whether the disk was in the way: what did not go back now may do so once it can be written to. */
  readonly hindered: boolean
  /** Whether the host is going down, and systemd took no orders any more. It does after the boot. */
  readonly goingDown: boolean
}

/** Puts everything back, durably. May be repeated. */
export function undo(journal: Journal, context: Context, store: Store): Undone {
  const { machine } = context
  const { files } = machine
  const leftovers: string[] = []
  let hindered = false
  const attempt = (act: () => void, say = wordsFor) => {
    try {
      act()
    } catch (error) {
      hindered ||= isHindrance(error)
      leftovers.push(say(error))
    }
  }
  const deferred = new Deferred()
  for (const { step, before } of journal.prepared.slice(0, journal.begun + 1).reverse())
    attempt(
      () => actionFor(step).undo(step, before, context, deferred),
      error => `${step.kind}: ${wordsFor(error)}`,
    )
  leftovers.push(...deferred.carryOut(machine))
  const goingDown = leftovers.length > 0 && machine.systemd && isGoingDown(machine)
  attempt(() => {
    store.dropQuarantine()
    collectVersion(files, journal.header.to)
    // The journal goes next, and must not be outlived by what it would put back.
    syncTouched(files, journal.prepared)
    files.syncFileSystem(BASE)
  })
  return { leftovers, hindered, goingDown }
}
