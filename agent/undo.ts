/** Undoing a deployment from its journal: in reverse, each step for itself, so that one that fails stops no other. */
import type { Context } from './action.ts'
import { actionFor } from './actions.ts'
import { collectVersion } from './collect.ts'
import type { Journal } from './journal.ts'
import { Owed } from './owed.ts'
import type { Store } from './store.ts'
import { wordsFor } from './trouble.ts'

/** Puts everything back and says what did not go back; nothing where the host is as it was. May be repeated. */
export function undo(journal: Journal, context: Context, store: Store): string[] {
  const leftovers: string[] = []
  const owed = new Owed()
  for (const { step, before } of journal.prepared.slice(0, journal.begun + 1).reverse())
    try {
      actionFor(step).undo(step, before, context, owed)
    } catch (error) {
      leftovers.push(`${step.kind}: ${wordsFor(error)}`)
    }
  leftovers.push(...owed.pay(context.machine))
  try {
    store.dropQuarantine()
    collectVersion(context.machine.files, journal.header.to)
  } catch (error) {
    leftovers.push(wordsFor(error))
  }
  return leftovers
}
