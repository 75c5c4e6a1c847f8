/** Tells when the agent begins and ends a step, or its undoing: from outside, around the actions themselves. */
import { actionFor } from '../../agent/steps/actions.ts'
import type { Step, StepKind } from '../../src/plan/steps.ts'

export type OnStep = (doing: 'run' | 'undo', step: Step, when: 'before' | 'after') => void

/** Calls `onStep` around each step that `act` takes or undoes. A step that throws has no 'after'. */
export function watchSteps<T>(onStep: OnStep, act: () => T): T {
  const actions = new Set(KINDS.map(kind => actionFor({ kind } as Step)))
  const originals = [...actions].map(action => ({ action, run: action.run, undo: action.undo }))
  for (const { action, run, undo } of originals) {
    action.run = (step, context) => {
      onStep('run', step, 'before')
      run.call(action, step, context)
      onStep('run', step, 'after')
    }
    action.undo = (step, before, context, deferred) => {
      onStep('undo', step, 'before')
      undo.call(action, step, before, context, deferred)
      onStep('undo', step, 'after')
    }
  }
  try {
    return act()
  } finally {
    for (const { action, run, undo } of originals) Object.assign(action, { run, undo })
  }
}

/** Every kind there is: one that is missing here does not compile. */
const EVERY: { readonly [K in StepKind]: true } = {
  checkout: true,
  validate: true,
  sysusers: true,
  attributes: true,
  stop: true,
  disable: true,
  swap: true,
  remove: true,
  unlink: true,
  link: true,
  tmpfiles: true,
  daemonReload: true,
  enable: true,
  restart: true,
  reload: true,
  settle: true,
  check: true,
}

export const KINDS = Object.keys(EVERY) as StepKind[]
