/** Activation: the steps, one after the other, each undoable from the journal before it is taken. */
import type { UnitName } from '../src/plan/names.ts'
import type { Step } from '../src/plan/steps.ts'
import type { Failure } from '../src/protocol/messages.ts'
import { describeError } from './host/errors.ts'
import { type Context, StepFailed } from './steps/action.ts'
import { actionFor } from './steps/actions.ts'
import { comparisonOf } from './steps/running-before.ts'
import type { Before, JournalWriter, Prepared } from './store/journal.ts'
import { judge, listRunning, showUnits } from './systemd/systemd.ts'
import { takenDown } from './systemd/taken-down.ts'
import { reportUnit } from './systemd/unit-log.ts'

export type Prefetched = ReadonlyMap<Step, Before>

/**
 * Asks systemd what the steps will replace while the host waits for others: this takes 20 ms. The answer is soon out of
 * date.
 */
export function prefetch(steps: readonly Step[], context: Context): Prefetched {
  const units = steps.filter(step => actionFor(step).prefetch)
  try {
    return new Map(prepare(units, context).map(({ step, before }) => [step, before]))
  } catch {
    // Activation asks again, and reports it if that fails too.
    return new Map()
  }
}

/** The first step that touches units also keeps what runs on the host. */
function prepare(steps: readonly Step[], context: Context, prefetched?: Prefetched): Prepared[] {
  const first = steps.find(step => actionFor(step).prefetch)
  return steps.map(step => {
    const known = prefetched?.get(step)
    if (known) return { step, before: known }
    const before = actionFor(step).before(step, context)
    const isFirst = step === first && before.kind === 'units'
    return { step, before: isFirst ? { ...before, ran: listRunning(context.machine) } : before }
  })
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
  const prepared = prepare(steps, context, prefetched)
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
  const why = context.interrupted()
  return why === undefined ? fallen(acting, prepared, enabled) : { step: null, message: why, units: [] }
}

/** Units that the plan has taken down, or that have failed meanwhile. */
function fallen(
  { machine, began, header }: Context,
  prepared: readonly Prepared[],
  enabled: readonly UnitName[],
): Failure | undefined {
  const down = showUnits(machine, takenDown(machine, comparisonOf(prepared, enabled)))
  if (down.length === 0) return undefined
  const failed = down.flatMap(state => {
    const verdict = state.active === 'failed' ? judge(state, began) : 'runs'
    return typeof verdict === 'object' ? [reportUnit(machine, state.unit, verdict.fails, header.started)] : []
  })
  const stopped = down.filter(({ active }) => active !== 'failed').map(({ unit }) => unit)
  const along = `${stopped.join(', ')} stopped together with units that the plan stops or starts`
  const words = [
    ...(stopped.length > 0 ? [along] : []),
    ...failed.map(({ unit, state }) => `${unit} ${state}`),
  ]
  return { step: null, message: words.join(', '), units: failed }
}

function besideOf(before: Before): readonly UnitName[] {
  return before.kind === 'units' ? [...(before.beside ?? []), ...(before.ran ?? [])] : []
}

function describe(step: number, error: unknown): Failure {
  return {
    step,
    message: describeError(error),
    units: error instanceof StepFailed ? error.units : [],
  }
}
