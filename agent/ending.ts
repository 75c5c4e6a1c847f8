/** The two ways a deployment ends. Both leave no journal, and a record by its id. */
import type { HostState } from '../src/plan/host-state.ts'
import type { Outcome } from '../src/protocol/messages.ts'
import { endingReason } from '../src/protocol/reason.ts'
import { removeTree } from './host/files.ts'
import type { Machine } from './host/machine.ts'
import { BACKUP, DAMAGED_JOURNAL, VERDICT } from './host/paths.ts'
import { actionFor } from './steps/actions.ts'
import { syncTouched } from './steps/durable.ts'
import { collectOld } from './store/collect.ts'
import { addToInventory, takeInventory } from './store/inventory.ts'
import { type Journal, removeJournal } from './store/journal.ts'
import { recordOutcome } from './store/outcomes.ts'
import type { Store } from './store/store.ts'

/**
 * Makes it hold. Moving `current` in the store is the point of no return: a journal whose commit is current is
 * finished forwards by the next session, any other is undone.
 */
export function hold(machine: Machine, store: Store, { header, prepared }: Journal, next: HostState): void {
  // The renames must be on disk before the ref says that they hold.
  syncTouched(machine.files, prepared)
  store.setRef('current', header.to, header.operator, `deploy ${header.id}: held`)
  finishHeld(machine, { header, prepared }, next)
}

type Finished = Pick<Journal, 'header' | 'prepared'>

/** The part of holding that a killed agent leaves to the next one. */
export function finishHeld(machine: Machine, { header, prepared }: Finished, next: HostState): void {
  collectOld(machine.files, new Set<string>(next.apps.map(app => app.name)))
  takeInventory(machine.files, next)
  // Only a repair gets here with one: what it could not tell has been put right.
  machine.files.unlink(DAMAGED_JOURNAL)
  end(machine, { header, prepared }, 'held', '')
}

/** After an undo. */
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
  // Whoever sets the host's clock back meanwhile must not make it a record that cannot be read.
  const ms = Math.max(0, machine.now() - at)
  recordOutcome(machine, { id, from, to, operator, outcome, why, at, ms })
  // What was collected must not come back once the journal is gone. The log's own sync did that already on most disks.
  syncTouched(machine.files, prepared)
  machine.files.unlink(VERDICT)
  removeJournal(machine)
}
