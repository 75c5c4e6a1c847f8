/** The action of each kind of step: a new kind does not compile until it has one. */
import type { Step, StepKind, StepOf } from '../src/plan/steps.ts'
import type { Action } from './action.ts'
import { linkAction, unlinkAction } from './links.ts'
import { removeAction, swapAction } from './swap.ts'
import {
  daemonReloadAction,
  disableAction,
  enableAction,
  reloadAction,
  restartAction,
  settleAction,
  stopAction,
  sysusersAction,
} from './units.ts'

/** Version directories are written while staging and removed by collecting them, not by undoing a step. */
const checkoutAction: Action<StepOf<'checkout'>> = {
  before: () => ({ kind: 'nothing' }),
  run() {},
  undo() {},
}

const actions: { readonly [K in StepKind]: Action<StepOf<K>> } = {
  checkout: checkoutAction,
  stop: stopAction,
  disable: disableAction,
  swap: swapAction,
  remove: removeAction,
  unlink: unlinkAction,
  link: linkAction,
  sysusers: sysusersAction,
  daemonReload: daemonReloadAction,
  enable: enableAction,
  restart: restartAction,
  reload: reloadAction,
  settle: settleAction,
}

/** The action for a step. The one cast of the agent: a step's kind picks the action of that kind. */
export function actionFor<S extends Step>(step: S): Action<S> {
  return actions[step.kind] as unknown as Action<S>
}
