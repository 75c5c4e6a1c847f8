/** The two ways a deployment ends. Both leave no journal, and a record by its id. */

import type { HostState } from '../src/plan/host-state.ts'
import { APPS } from '../src/plan/links.ts'
import type { Outcome } from '../src/protocol/messages.ts'
import { collectOld } from './collect.ts'
import { removeTree } from './files.ts'
import { addToInventory, takeInventory } from './inventory.ts'
import { type Header, type Journal, type Prepared, removeJournal } from './journal.ts'
import type { Machine } from './machine.ts'
import { recordOutcome } from './outcomes.ts'
import { BACKUP, DAMAGED_JOURNAL, parentOf, VERDICT } from './paths.ts'
import type { Store } from './store.ts'

/**
 * Makes it hold. Moving `current` in the store is the point of no return: a journal whose commit is current is
 * finished forwards by the next session, any other is undone.
 */
export function hold(machine: Machine, store: Store, { header, prepared }: Journal, next: HostState): void {
  syncTouched(machine, prepared)
  store.setRef('current', header.to, header.operator, `deploy ${header.id}: held`)
  finishHeld(machine, header, next)
}

/** The part of holding that a killed agent leaves to the next one. */
export function finishHeld(machine: Machine, header: Header, next: HostState): void {
  collectOld(machine.files, new Set<string>(next.apps.map(app => app.name)))
  takeInventory(machine.files, next)
  // Only a repair gets here with one: what it could not tell has been put right.
  machine.files.unlink(DAMAGED_JOURNAL)
  end(machine, header, 'held', '')
}

/** After an undo. */
export function endUndone(
  machine: Machine,
  { header, prepared }: Journal,
  why: string,
  leftovers: readonly string[],
): Outcome {
  const outcome = leftovers.length === 0 ? 'undone' : 'damaged'
  if (outcome === 'undone') removeTree(machine.files, `${BACKUP}/${header.id}`)
  else
    addToInventory(
      machine.files,
      prepared.map(({ step }) => step),
    )
  end(machine, header, outcome, [why, ...leftovers].join('; '))
  return outcome
}

function end(machine: Machine, header: Header, outcome: Outcome, why: string): void {
  const { id, from, to, operator, started: at } = header
  recordOutcome(machine, { id, from, to, operator, outcome, why, at, ms: machine.now() - at })
  machine.files.unlink(VERDICT)
  removeJournal(machine)
}

/** The renames must be on disk before the ref says that they hold. */
function syncTouched({ files }: Machine, prepared: readonly Prepared[]): void {
  const directories = prepared.flatMap(({ step }) =>
    step.kind === 'swap' || step.kind === 'remove'
      ? [`${APPS}/${step.app}`]
      : step.kind === 'link' || step.kind === 'unlink'
        ? [parentOf(step.path)]
        : [],
  )
  for (const directory of new Set(directories)) if (files.stat(directory)) files.sync(directory)
}
