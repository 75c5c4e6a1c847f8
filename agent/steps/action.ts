/** What a step is to the agent: three things it can do, and what it may know while it does them. */
import type { UnitName } from '../../src/plan/names.ts'
import type { Step } from '../../src/plan/steps.ts'
import type { UnitReport } from '../../src/protocol/messages.ts'
import type { Machine } from '../host/machine.ts'
import type { Owed } from '../owed.ts'
import type { Before, Header } from '../store/journal.ts'

export interface Context {
  readonly machine: Machine
  readonly header: Header
  /** When the agent set to work on the plan, in ticks() of the machine. */
  readonly began: number
  /** Units that ran, and that systemd restarts or stops with those that the plan names. */
  readonly beside: readonly UnitName[]
  /** The message of an operator who wants it all back, asked for between two steps; undefined while nobody does. */
  interrupted(): string | undefined
}

/** From now on; nobody interrupts it where nothing is said. */
export function contextOf(
  machine: Machine,
  { header }: { readonly header: Header },
  interrupted: Context['interrupted'] = () => undefined,
): Context {
  return { machine, header, began: machine.ticks(), beside: [], interrupted }
}

export interface Action<S extends Step> {
  /** What the step will replace. Looks, and keeps copies, but changes nothing else. */
  before(step: S, context: Context): Before
  /** Takes the step. Throws StepFailed, SystemFailure or SystemdFailure. */
  run(step: S, context: Context): void
  /**
   * Puts back what was before, whether the step was taken, half taken or not at all, and also when it has been put
   * back already. What has to wait for other steps is noted in `owed`.
   */
  undo(step: S, before: Before, context: Context, owed: Owed): void
}

/** An action that is left out where systemd does not run the host, and so never undone there. */
export function onSystemd<S extends Step>(action: Action<S>): Action<S> {
  return {
    before: (step, context) => (context.machine.systemd ? action.before(step, context) : { kind: 'nothing' }),
    run(step, context) {
      if (context.machine.systemd) action.run(step, context)
    },
    undo(step, before, context, owed) {
      if (context.machine.systemd) action.undo(step, before, context, owed)
    },
  }
}

/** A step that was taken and did not come out as it should. */
export class StepFailed extends Error {
  readonly units: readonly UnitReport[]
  constructor(message: string, units: readonly UnitReport[] = []) {
    super(message)
    this.units = units
  }
}
