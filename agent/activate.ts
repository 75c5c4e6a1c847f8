/** Activation: the steps, one after the other, each undoable from the journal before it is taken. */
import type { Step } from '../src/plan/steps.ts'
import type { Failure } from '../src/protocol/messages.ts'
import { type Context, StepFailed } from './action.ts'
import { actionFor } from './actions.ts'
import type { JournalWriter, Prepared } from './journal.ts'
import { wordsFor } from './trouble.ts'

/**
 * Takes the steps. undefined when all of them hold; otherwise what failed, and everything from the failed step
 * backwards is to be undone. Throws before the first step where what it replaces could not be recorded.
 */
export function activate(
  steps: readonly Step[],
  context: Context,
  journal: JournalWriter,
  onStep: (index: number) => void,
): Failure | undefined {
  journal.prepare(steps.map((step): Prepared => ({ step, before: actionFor(step).before(step, context) })))
  for (const [index, step] of steps.entries()) {
    const why = context.interrupted()
    if (why !== undefined) return { step: null, message: why, units: [] }
    journal.begin(index)
    onStep(index)
    try {
      actionFor(step).run(step, context)
    } catch (error) {
      return describe(index, error)
    }
  }
  const why = context.interrupted()
  return why === undefined ? undefined : { step: null, message: why, units: [] }
}

function describe(step: number, error: unknown): Failure {
  return {
    step,
    message: wordsFor(error),
    units: error instanceof StepFailed ? error.units : [],
  }
}
