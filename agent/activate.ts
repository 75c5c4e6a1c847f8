/** Activation: the steps, one after the other, each undoable from the journal before it is taken. */
import type { UnitName } from '../src/plan/names.ts'
import type { Step } from '../src/plan/steps.ts'
import type { Failure } from '../src/protocol/messages.ts'
import { describeError } from './host/errors.ts'
import { type Context, StepFailed } from './steps/action.ts'
import { actionFor } from './steps/actions.ts'
import type { Before, JournalWriter, Prepared } from './store/journal.ts'
import { isRunning, showUnits } from './systemd/systemd.ts'

export type Prefetched = ReadonlyMap<Step, Before>

/**
 * Asks systemd what the steps will replace while the host waits for others: this takes 10 ms. The answer is soon out of
 * date.
 */
export function prefetch(steps: readonly Step[], context: Context): Prefetched {
  const units = steps.filter(step => actionFor(step).prefetch)
  try {
    return new Map(units.map(step => [step, actionFor(step).before(step, context)]))
  } catch {
    // Activation asks again, and reports it if that fails too.
    return new Map()
  }
}

interface Activation {
  readonly journal: JournalWriter
  /** undefined if it is out of date. */
  readonly prefetched: Prefetched | undefined
  /** The units that are to run when all steps are taken. */
  readonly enabled: readonly UnitName[]
  readonly onStep: (index: number) => void
}

/**
 * Takes the steps. undefined if all succeed; after a failure, the caller undoes them. Throws, before the first step, if
 * the journal cannot be written.
 */
export function activate(
  steps: readonly Step[],
  context: Context,
  { journal, prefetched, enabled, onStep }: Activation,
): Failure | undefined {
  const prepared = steps.map(
    (step): Prepared => ({ step, before: prefetched?.get(step) ?? actionFor(step).before(step, context) }),
  )
  journal.prepare(prepared)
  const acting = { ...context, beside: prepared.flatMap(({ before }) => besideOf(before)) }
  for (const [index, step] of steps.entries()) {
    const why = context.interrupted()
    if (why !== undefined) return { step: null, message: why, units: [] }
    journal.begin(index)
    onStep(index)
    try {
      actionFor(step).run(step, acting)
    } catch (error) {
      const why = context.interrupted()
      return why === undefined ? describe(index, error) : { step: null, message: why, units: [] }
    }
  }
  const why = context.interrupted() ?? fallen(acting, enabled)
  return why === undefined ? undefined : { step: null, message: why, units: [] }
}

/** Enabled units that no step names, and that systemd has stopped along with others. */
function fallen({ machine, beside }: Context, enabled: readonly UnitName[]): string | undefined {
  const stopped = showUnits(
    machine,
    beside.filter(unit => enabled.includes(unit)),
  ).filter(state => !isRunning(state))
  return stopped.length === 0
    ? undefined
    : `${stopped.map(state => state.unit).join(', ')} stopped together with units that the plan stops or starts`
}

function besideOf(before: Before): readonly UnitName[] {
  return before.kind === 'units' ? (before.beside ?? []) : []
}

function describe(step: number, error: unknown): Failure {
  return {
    step,
    message: describeError(error),
    units: error instanceof StepFailed ? error.units : [],
  }
}
