/** The two ends of a deployment. Both remove the journal and leave a record in the log. */
import type { HostState } from '../src/plan/host-state.ts'
import type { Outcome } from '../src/protocol/messages.ts'
import { endingReason } from '../src/protocol/reason.ts'
import { removeTree } from './host/files.ts'
import type { Machine } from './host/machine.ts'
import { BACKUP, DAMAGED_JOURNAL, VERDICT } from './host/paths.ts'
import { actionFor } from './steps/actions.ts'
import { closePrevious } from './steps/attributes.ts'
import { syncTouched } from './steps/durable.ts'
import { collectOld } from './store/collect.ts'
import { addToInventory, takeInventory } from './store/inventory.ts'
import { type Journal, removeJournal } from './store/journal.ts'
import { recordOutcome } from './store/outcomes.ts'
import type { Store } from './store/store.ts'

/**
 * Moving `current` in the store is the point of no return: after a kill, the next session finishes a deployment whose
 * commit is `current`, and undoes any other.
 */
export function keep(machine: Machine, store: Store, { header, prepared }: Journal, next: HostState): void {
  // The steps' renames must be on disk before the ref.
  syncTouched(machine, prepared)
  store.admit()
  store.setRef('current', header.to, header.operator, `deploy ${header.id}: held`)
  finishKept(machine, store, { header, prepared }, next)
}

type Finished = Pick<Journal, 'header' | 'prepared'>

/** What is left to do after the ref has moved, also for the agent after a killed one. */
export function finishKept(
  machine: Machine,
  store: Store,
  { header, prepared }: Finished,
  next: HostState,
): void {
  store.settle()
  closePrevious(machine, next)
  collectOld(machine.files, { id: header.id, apps: new Set<string>(next.apps.map(app => app.name)) })
  takeInventory(machine.files, next)
  // Only a repair is not refused while there is one, and it has repaired whatever that deployment did.
  machine.files.unlink(DAMAGED_JOURNAL)
  end(machine, { header, prepared }, 'held', '')
}

export function endUndone(
  machine: Machine,
  { header, prepared }: Finished,
  why: string,
  leftovers: readonly string[],
): Outcome {
  const outcome = leftovers.length === 0 ? 'undone' : 'damaged'
  if (outcome === 'undone') removeTree(machine.files, `${BACKUP}/${header.id}`)
  else
    addToInventory(
      machine.files,
      prepared.map(({ step }) => actionFor(step).leaves(step)),
    )
  end(machine, { header, prepared }, outcome, endingReason(why, leftovers))
  return outcome
}

function end(machine: Machine, { header, prepared }: Finished, outcome: Outcome, why: string): void {
  const { id, from, to, operator, started: at } = header
  // The host's clock may have been set back, and a negative duration could not be decoded.
  const ms = Math.max(0, machine.now() - at)
  recordOutcome(machine, { id, from, to, operator, outcome, why, at, ms })
  // What was collected must not come back after a power cut once the journal is gone.
  syncTouched(machine, prepared)
  machine.files.unlink(VERDICT)
  removeJournal(machine)
}
