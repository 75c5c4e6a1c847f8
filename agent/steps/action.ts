/** What the agent has to know of each kind of step. */
import type { UnitName } from '../../src/plan/names.ts'
import type { Step } from '../../src/plan/steps.ts'
import type { Reply, UnitReport } from '../../src/protocol/messages.ts'
import type { Deferred } from '../deferred.ts'
import type { Files, Machine } from '../host/machine.ts'
import type { Inventory } from '../store/inventory.ts'
import type { Before, Header } from '../store/journal.ts'

export interface Context {
  readonly machine: Machine
  readonly header: Header
  /** When the agent began with the plan, in ticks() of the machine. */
  readonly began: number
  /** Units that ran: systemd may restart or stop them along with those that the plan names. */
  readonly beside: readonly UnitName[]
  /** Why the operator wants an undo; undefined if nobody does. Asked between steps, and during slow ones. */
  interrupted(): string | undefined
  /** Tells the operator's side what a step does beyond what the plan could say. */
  tell(news: Extract<Reply, { type: 'restarted' | 'watching' }>): void
}

export function contextOf(
  machine: Machine,
  { header }: { readonly header: Header },
  { interrupted = () => undefined, tell = () => {} }: Partial<Pick<Context, 'interrupted' | 'tell'>> = {},
): Context {
  return { machine, header, began: machine.ticks(), beside: [], interrupted, tell }
}

/** A new kind of step does not compile without these members; the optional one only saves time. */
export interface Action<S extends Step> {
  /**
   * Without systemd, a step that uses it is neither taken nor undone. 'required': a real host without it is refused.
   * 'optional': there is nothing to do then.
   */
  readonly systemd: 'unused' | 'optional' | 'required'
  /**
   * `before` only asks systemd, which takes 10 ms and changes nothing, so it is called early on a host that waits for
   * others.
   */
  readonly prefetch?: true
  /** What the step will replace. Makes backups, and changes nothing else. */
  before(step: S, context: Context): Before
  /** Takes the step. Throws StepFailed, SystemFailure or SystemdFailure. */
  run(step: S, context: Context): void
  /**
   * Restores what was there before, whether the step was taken, half taken, not taken, or undone already. What has to
   * wait until all other steps are undone goes into `deferred`.
   */
  undo(step: S, before: Before, context: Context, deferred: Deferred): void
  /**
   * The directories in which the step, or its undo, adds and removes names without syncing them: this is done before the
   * deployment is recorded as ended. Called at the end and after a crash; the directories may be gone.
   */
  touches(step: S, before: Before, files: Files): readonly string[]
  /**
   * What the step may have left outside of git-deploy's directory if it could not be undone. It goes into the inventory,
   * by which a later repair finds it.
   */
  leaves(step: S): Inventory
}

export const noNames = (): readonly string[] => []
export const leavesNothing = (): Inventory => ({ links: [], units: [] })

/** The step was taken, and its result is not as it should be. */
export class StepFailed extends Error {
  readonly units: readonly UnitReport[]
  constructor(message: string, units: readonly UnitReport[] = []) {
    super(message)
    this.units = units
  }
}
