import type { UnitName } from '../../src/plan/names.ts'
import type { StepOf } from '../../src/plan/steps.ts'
import type { Deferred } from '../deferred.ts'
import type { Machine } from '../host/machine.ts'
import type { Before } from '../store/journal.ts'
import { restartedAlong, runningBeside } from '../systemd/dependents.ts'
import { findOutdated } from '../systemd/old-versions.ts'
import { connectionsOf, freeSockets, runningBehind } from '../systemd/sockets.ts'
import {
  isRetried,
  isRunning,
  judge,
  resetFailed,
  showUnits,
  systemctl,
  type UnitState,
  withInstances,
} from '../systemd/systemd.ts'
import { reportUnit } from '../systemd/unit-log.ts'
import { watch } from '../systemd/watch.ts'
import { type Action, type Context, leavesNothing, noNames, StepFailed } from './action.ts'

const NOTHING: Before = { kind: 'nothing' }

export const stopAction: Action<StepOf<'stop'>> = {
  systemd: 'required',
  prefetch: true,
  before: ({ units }, { machine }) => runningUnits(machine, units),
  run({ units }, context) {
    const { machine } = context
    // A unit without a file cannot be stopped, such as a quadlet's on a host without the generator.
    const there = showUnits(machine, withInstances(machine, units))
      .filter(state => state.load !== 'not-found' || isRunning(state))
      .map(state => state.unit)
    if (there.length === 0) return
    patiently(context, ['stop'], there)
    // Failed units remain loaded, and keep the host's state at 'degraded'.
    resetFailed(machine, there)
  },
  undo(_, before, __, deferred) {
    defer(deferred, before, deferred.restart)
  },
  touches: noNames,
  leaves: leavesNothing,
}

export const daemonReloadAction: Action<StepOf<'daemonReload'>> = {
  systemd: 'optional',
  before: () => NOTHING,
  run: (_, { machine }) => systemctl(machine, ['daemon-reload']),
  undo(_, __, ___, deferred) {
    deferred.daemonReload = true
  },
  touches: noNames,
  leaves: leavesNothing,
}

export const restartAction: Action<StepOf<'restart'>> = {
  systemd: 'required',
  prefetch: true,
  before: ({ units }, { machine }) => runningUnits(machine, units),
  run: ({ units }, context) => startOrFail(context, 'restart', units),
  undo: undoStart,
  touches: noNames,
  leaves: leavesNothing,
}

export const reloadAction: Action<StepOf<'reload'>> = {
  systemd: 'required',
  prefetch: true,
  before: ({ units }, { machine }) => runningUnits(machine, units),
  run({ units }, context) {
    const began = context.machine.ticks()
    const ran = showUnits(context.machine, units).filter(isRunning)
    startOrFail(context, 'reload-or-restart', units)
    const after = showUnits(
      context.machine,
      ran.map(({ unit }) => unit),
    )
    const restarted = after.filter(({ since }) => since >= began).map(({ unit }) => unit)
    if (restarted.length > 0) context.tell({ type: 'restarted', units: restarted })
  },
  undo: undoReload,
  touches: noNames,
  leaves: leavesNothing,
}

export const settleAction: Action<StepOf<'settle'>> = {
  systemd: 'optional',
  before: () => NOTHING,
  run({ units, ms, always, reloaded }, context) {
    const { machine, header } = context
    const watched = watch(machine, units, {
      ...{ ms, always, reloaded, began: context.began },
      beside: restartedAlong(machine, units, context.beside),
      stop: () => context.interrupted() !== undefined,
      onWait: (units, ms) => context.tell({ type: 'watching', units, ms }),
    })
    const failing = watched.length > 0 ? watched : keepingOld(machine, reloaded)
    if (failing.length === 0) return
    const reports = failing.map(({ unit, fails }) => reportUnit(machine, unit, fails, header.started))
    throw new StepFailed(failing.map(({ unit, fails }) => `${unit} ${fails}`).join(', '), reports)
  },
  undo() {},
  touches: noNames,
  leaves: leavesNothing,
}

/** Reloaded units that go on with an old version of their files. */
function keepingOld(machine: Machine, reloaded: readonly UnitName[]) {
  const remedy = "to have it restarted, remove it from 'units_reload'"
  return findOutdated(machine, reloaded).map(({ unit, how }) => ({
    unit,
    fails: `${how} after its reload; ${remedy}`,
  }))
}

interface Started {
  readonly units: readonly UnitName[]
}

/** Restarts what ran, and stops what did not, such as a oneshot that had finished. */
function undoStart({ units }: Started, before: Before, { machine }: Context, deferred: Deferred): void {
  const running = defer(deferred, before, deferred.restart)
  stopOthers(machine, units, running)
}

/** The same, but what ran is reloaded: it may have kept all its connections. */
function undoReload({ units }: Started, before: Before, { machine }: Context, deferred: Deferred): void {
  const running = defer(deferred, before, deferred.reload)
  stopOthers(machine, units, running)
}

function stopOthers(machine: Machine, units: readonly UnitName[], running: readonly UnitName[]): void {
  const others = units.filter(unit => !running.includes(unit))
  if (others.length === 0) return
  const loaded = showUnits(machine, others)
    .filter(state => state.load === 'loaded')
    .map(state => state.unit)
  if (loaded.length === 0) return
  systemctl(machine, ['stop'], loaded)
  resetFailed(machine, loaded)
}

/** Restarts or reloads what ran, retries what was retried, and starts what ran beside that. Returns the first two. */
function defer(deferred: Deferred, before: Before, again: Set<UnitName>): readonly UnitName[] {
  if (before.kind !== 'units') return []
  const { running, retried = [], beside = [] } = before
  for (const unit of running) again.add(unit)
  for (const unit of retried) deferred.retry.add(unit)
  for (const unit of beside) deferred.start.add(unit)
  return [...running, ...retried]
}

function startOrFail(context: Context, verb: string, units: readonly UnitName[]): void {
  const { machine } = context
  const began = machine.ticks()
  const all = freeSockets(machine, units, () => context.interrupted() !== undefined)
  try {
    patiently(context, [verb], all)
  } catch (error) {
    if (context.interrupted() !== undefined) throw error
    const limited = showUnits(machine, all).filter(state => isLimited(state, began))
    if (limited.length === 0) throw explain(error, all, context)
    // Several deployments within a few seconds are not a crash loop, so the start limit is reset.
    resetFailed(
      machine,
      limited.map(state => state.unit),
    )
    startAgain(context, verb, all)
  }
}

/**
 * Whether systemd has refused to start it so often. The result is that of its last end if that was a failure, such as
 * the 143 with which Java ends when it is stopped.
 */
function isLimited({ active, result, tried }: UnitState, began: number): boolean {
  return result === 'start-limit-hit' || (active === 'failed' && tried < began)
}

/** Units may take minutes to stop and to start: meanwhile the operator can ask for an undo. */
function patiently(context: Context, verb: readonly string[], units: readonly string[]): void {
  systemctl(context.machine, verb, units, () => context.interrupted() !== undefined)
}

function startAgain(context: Context, verb: string, units: readonly UnitName[]): void {
  try {
    patiently(context, [verb], units)
  } catch (error) {
    throw explain(error, units, context)
  }
}

/** A failure with the units that are the reason and their logs; systemctl's own error if there are none. */
function explain(error: unknown, units: readonly UnitName[], { machine, header, began }: Context): unknown {
  const failing = showUnits(machine, units).flatMap(state => {
    const fails = whyNot(state, began)
    return fails === undefined ? [] : [reportUnit(machine, state.unit, fails, header.started)]
  })
  if (failing.length === 0) return error
  return new StepFailed(failing.map(({ unit, state }) => `${unit} ${state}`).join(', '), failing)
}

function whyNot(state: UnitState, began: number): string | undefined {
  const verdict = judge(state, began)
  if (typeof verdict === 'object') return verdict.fails
  // A unit that could not be reloaded keeps running, with its old configuration.
  return state.reload === 'success' || state.reload === '' ? undefined : `failed to reload (${state.reload})`
}

function runningUnits(machine: Machine, units: readonly UnitName[]): Before {
  const connections = connectionsOf(machine, units)
  const all = withInstances(machine, units).filter(unit => !connections.includes(unit))
  const states = showUnits(machine, all).filter(isRunning)
  const named = (states: readonly UnitState[]) => states.map(state => state.unit)
  const running = named(states.filter(state => !isRetried(state)))
  return {
    kind: 'units',
    running: [...new Set([...running, ...runningBehind(machine, units)])],
    retried: named(states.filter(isRetried)),
    beside: runningBeside(machine, all),
  }
}
