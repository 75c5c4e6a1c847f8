/** What a step is to the agent: what it can do and what it involves, and what it may know while it does that. */
import type { UnitName } from '../../src/plan/names.ts'
import type { Step } from '../../src/plan/steps.ts'
import type { UnitReport } from '../../src/protocol/messages.ts'
import type { Deferred } from '../deferred.ts'
import type { Files, Machine } from '../host/machine.ts'
import type { Inventory } from '../store/inventory.ts'
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

/** A new kind of step does not compile until somebody has thought of each member; the optional one is for speed only. */
export interface Action<S extends Step> {
  /**
   * What it needs systemd for. 'required': nothing else can take the step, so a real host without systemd is refused.
   * 'optional': there is nothing to do without it. On a host that systemd does not run, both are neither taken nor undone.
   */
  readonly systemd: 'unused' | 'optional' | 'required'
  /**
   * Whether `before` only asks systemd, which takes 10 ms and leaves nothing behind: a host that waits for others is
   * asked ahead.
   */
  readonly askedAhead?: true
  /** What the step will replace. Looks, and keeps copies, but changes nothing else. */
  before(step: S, context: Context): Before
  /** Takes the step. Throws StepFailed, SystemFailure or SystemdFailure. */
  run(step: S, context: Context): void
  /**
   * Puts back what was before, whether the step was taken, half taken or not at all, and also when it has been put
   * back already. What has to wait until all other steps are undone goes into `deferred`.
   */
  undo(step: S, before: Before, context: Context, deferred: Deferred): void
  /**
   * The directories in which the step, or its undoing, adds and removes names, and does not sync them itself: they are
   * synced before the deployment counts as ended. Asked at the end and after a crash; those that are gone do no harm.
   */
  touches(step: S, before: Before, files: Files): readonly string[]
  /**
   * What the step may leave outside of git-deploy's own directory when it could not be undone: it goes into the
   * inventory, from which a later session cleans up.
   */
  leaves(step: S): Inventory
}

/** For the actions that touch no names, or leave nothing. */
export const noNames = (): readonly string[] => []
export const leavesNothing = (): Inventory => ({ links: [], units: [] })

/** A step that was taken and did not come out as it should. */
export class StepFailed extends Error {
  readonly units: readonly UnitReport[]
  constructor(message: string, units: readonly UnitReport[] = []) {
    super(message)
    this.units = units
  }
}
