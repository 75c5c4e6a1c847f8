/** The action of each kind of step: a new kind does not compile until it has one. */
import type { Step, StepKind, StepOf } from '../../src/plan/steps.ts'
import { type Action, leavesNothing, noNames } from './action.ts'
import { attributesAction } from './attributes.ts'
import { checkAction } from './checks.ts'
import { disableAction, enableAction } from './enablement.ts'
import { linkAction, unlinkAction } from './links.ts'
import { sysusersAction, tmpfilesAction } from './provision.ts'
import { removeAction, swapAction } from './swap.ts'
import { daemonReloadAction, reloadAction, restartAction, settleAction, stopAction } from './units.ts'

/** A cast, since TypeScript does not see that a step's kind picks the action of that kind. */
export function actionFor<S extends Step>(step: S): Action<S> {
  return guarded[step.kind] as unknown as Action<S>
}

/** Taken while staging. Version directories are removed by collecting them, not by an undo. */
const stagedAction: Action<StepOf<'checkout' | 'validate'>> = {
  systemd: 'unused',
  before: () => ({ kind: 'nothing' }),
  run() {},
  undo() {},
  // Staging syncs the file system.
  touches: noNames,
  leaves: leavesNothing,
}

const actions: { readonly [K in StepKind]: Action<StepOf<K>> } = {
  checkout: stagedAction,
  validate: stagedAction,
  sysusers: sysusersAction,
  attributes: attributesAction,
  stop: stopAction,
  disable: disableAction,
  swap: swapAction,
  remove: removeAction,
  unlink: unlinkAction,
  link: linkAction,
  tmpfiles: tmpfilesAction,
  daemonReload: daemonReloadAction,
  enable: enableAction,
  restart: restartAction,
  reload: reloadAction,
  settle: settleAction,
  check: checkAction,
}

const guarded: Readonly<Record<string, Action<Step>>> = Object.fromEntries(
  Object.entries<Action<Step>>(actions).map(([kind, action]) => [kind, onSystemd(action)]),
)

/** Without systemd, the action does nothing, and has nothing to undo. */
function onSystemd(action: Action<Step>): Action<Step> {
  if (action.systemd === 'unused') return action
  return {
    ...action,
    before: (step, context) => (context.machine.systemd ? action.before(step, context) : { kind: 'nothing' }),
    run(step, context) {
      if (context.machine.systemd) action.run(step, context)
    },
    undo(step, before, context, deferred) {
      if (context.machine.systemd) action.undo(step, before, context, deferred)
    },
  }
}
