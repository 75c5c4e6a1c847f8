/** The steps that speak to systemd. Without systemd (an embedded host) they are not taken, and so never undone. */
import { APPS } from '../src/plan/links.ts'
import type { UnitName } from '../src/plan/names.ts'
import type { StepOf } from '../src/plan/steps.ts'
import { type Context, onSystemd, StepFailed } from './action.ts'
import { dropTemporary, makeDirectories, placeLink } from './files.ts'
import type { Before } from './journal.ts'
import type { Machine } from './machine.ts'
import type { Owed } from './owed.ts'
import { baseOf, parentOf } from './paths.ts'
import {
  dependencyDirectories,
  enablementLinks,
  isRunning,
  judge,
  resetFailed,
  showUnits,
  stopPattern,
  systemctl,
  UNIT_DIRECTORY,
  type UnitState,
} from './systemd.ts'
import { reportUnit } from './unit-log.ts'
import { watch } from './watch.ts'

const NOTHING: Before = { kind: 'nothing' }

export const stopAction = onSystemd<StepOf<'stop'>>({
  before: ({ units }, { machine }) => runningUnits(machine, units),
  run({ units }, context) {
    const { machine } = context
    // A unit that no file makes cannot be stopped: that of a quadlet on a host without the generator.
    const absent = new Set(
      showUnits(machine, units)
        .filter(state => state.load === 'not-found' && !isRunning(state))
        .map(state => state.unit),
    )
    const there = units.filter(unit => !absent.has(unit))
    if (there.length > 0) patiently(context, ['stop'], there.map(stopPattern))
  },
  undo(_, before, __, owed) {
    if (before.kind === 'units') for (const unit of before.running) owed.restart.add(unit)
  },
})

export const disableAction = onSystemd<StepOf<'disable'>>({
  before: ({ units }, { machine }) => enablement(machine, units),
  run({ units }, { machine }) {
    const own = ownLinks(machine, units)
    systemctl(machine, ['disable', '--no-reload'], units)
    // Disabling a linked unit also removes the link that makes it known; whether that goes is another step's matter.
    for (const { path, target } of own) placeLink(machine.files, target, path)
  },
  undo: (_, before, { machine }, owed) => restoreEnablement(machine, before, owed),
})

export const enableAction = onSystemd<StepOf<'enable'>>({
  before: ({ units }, { machine }) => enablement(machine, units),
  run({ units }, { machine }) {
    // As the unit file was before, other things may have wanted it.
    for (const { path, target } of enablementLinks(machine.files, units))
      if (target.startsWith(`${APPS}/`) || target.startsWith(`${UNIT_DIRECTORY}/`)) machine.files.unlink(path)
    systemctl(machine, ['enable', '--no-reload'], units)
    // systemctl writes the resolved path, which is of one version; through our own link it is of every version.
    for (const { path, target } of enablementLinks(machine.files, units))
      if (target.startsWith(`${APPS}/`)) placeLink(machine.files, `${UNIT_DIRECTORY}/${baseOf(target)}`, path)
  },
  undo({ units }, before, { machine }, owed) {
    const known = new Set(before.kind === 'enablement' ? before.links.map(link => link.path) : [])
    const added = () => enablementLinks(machine.files, units).filter(({ path }) => !known.has(path))
    for (const { path } of added()) dropTemporary(machine.files, path)
    const fresh = units.filter(unit =>
      added().some(({ path, target }) => baseOf(path) === unit || baseOf(target) === unit),
    )
    if (fresh.length > 0) disableQuietly(machine, fresh)
    for (const { path } of added()) {
      machine.files.unlink(path)
      owed.daemonReload = true
    }
    for (const directory of dependencyDirectories(machine.files))
      if (before.kind === 'enablement' && !before.directories.includes(directory))
        machine.files.rmdir(directory)
    restoreEnablement(machine, before, owed)
  },
})

export const daemonReloadAction = onSystemd<StepOf<'daemonReload'>>({
  before: () => NOTHING,
  run: (_, { machine }) => systemctl(machine, ['daemon-reload']),
  undo(_, __, ___, owed) {
    owed.daemonReload = true
  },
})

export const restartAction = onSystemd<StepOf<'restart'>>({
  before: ({ units }, { machine }) => runningUnits(machine, units),
  run: ({ units }, context) => startOrFail(context, 'restart', units),
  undo: undoStart,
})

export const reloadAction = onSystemd<StepOf<'reload'>>({
  before: ({ units }, { machine }) => runningUnits(machine, units),
  run: ({ units }, context) => startOrFail(context, 'reload-or-restart', units),
  // Restarted, not reloaded: what a refused reload left in the process nobody knows.
  undo: undoStart,
})

export const settleAction = onSystemd<StepOf<'settle'>>({
  before: () => NOTHING,
  run({ units, ms }, context) {
    const { machine, header } = context
    const failing = watch(machine, units, ms, () => context.interrupted() !== undefined)
    if (failing.length === 0) return
    const reports = failing.map(({ unit, fails }) => reportUnit(machine, unit, fails, header.started))
    throw new StepFailed(failing.map(({ unit, fails }) => `${unit} ${fails}`).join(', '), reports)
  },
  undo() {},
})

/** What ran runs again; what did not, such as a oneshot that was done, was started and is stopped. */
function undoStart(
  { units }: { readonly units: readonly UnitName[] },
  before: Before,
  { machine }: Context,
  owed: Owed,
): void {
  const running = before.kind === 'units' ? before.running : []
  for (const unit of running) owed.restart.add(unit)
  const others = units.filter(unit => !running.includes(unit))
  if (others.length === 0) return
  const loaded = showUnits(machine, others)
    .filter(state => state.load === 'loaded')
    .map(state => state.unit)
  if (loaded.length === 0) return
  systemctl(machine, ['stop'], loaded)
  resetFailed(machine, loaded)
}

function startOrFail(context: Context, verb: string, units: readonly UnitName[]): void {
  const { machine } = context
  try {
    patiently(context, [verb], units)
  } catch (error) {
    if (context.interrupted() !== undefined) throw error
    const limited = showUnits(machine, units).filter(state => state.result === 'start-limit-hit')
    if (limited.length === 0) throw explain(error, units, context)
    // Several deployments within a few seconds are no crash loop: the limit counts from here on.
    resetFailed(
      machine,
      limited.map(state => state.unit),
    )
    startAgain(context, verb, units)
  }
}

/** Units may take minutes to stop and to start: an operator who wants it all back is heard meanwhile. */
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

/** The units that are the reason, with their last words; systemctl's own error where none is. */
function explain(error: unknown, units: readonly UnitName[], { machine, header }: Context): unknown {
  const failing = showUnits(machine, units).flatMap(state => {
    const fails = whyNot(state)
    return fails === undefined ? [] : [reportUnit(machine, state.unit, fails, header.started)]
  })
  if (failing.length === 0) return error
  return new StepFailed(failing.map(({ unit, state }) => `${unit} ${state}`).join(', '), failing)
}

function whyNot(state: UnitState): string | undefined {
  const verdict = judge(state)
  if (typeof verdict === 'object') return verdict.fails
  // A unit that could not reload runs on with what it had.
  return state.reload === 'success' || state.reload === '' ? undefined : `failed to reload (${state.reload})`
}

function runningUnits(machine: Machine, units: readonly UnitName[]): Before {
  return {
    kind: 'units',
    running: showUnits(machine, units)
      .filter(isRunning)
      .map(state => state.unit),
  }
}

function enablement(machine: Machine, units: readonly UnitName[]): Before {
  return {
    kind: 'enablement',
    links: [...ownLinks(machine, units), ...enablementLinks(machine.files, units)],
    directories: dependencyDirectories(machine.files),
  }
}

/** The links by which systemd knows units that are not in its own directories. */
function ownLinks({ files }: Machine, units: readonly UnitName[]): { path: string; target: string }[] {
  return units.flatMap(unit => {
    const path = `${UNIT_DIRECTORY}/${unit}`
    const target = files.readlink(path)
    return target === undefined ? [] : [{ path, target }]
  })
}

function restoreEnablement({ files }: Machine, before: Before, owed: Owed): void {
  if (before.kind !== 'enablement') return
  for (const { path, target } of before.links) {
    dropTemporary(files, path)
    if (files.readlink(path) === target) continue
    // systemctl disable also removes a .wants directory that it leaves empty.
    makeDirectories(files, parentOf(path), 0o755)
    placeLink(files, target, path)
    // systemd goes on calling a unit what it was when somebody last asked.
    owed.daemonReload = true
  }
}

function disableQuietly(machine: Machine, units: readonly UnitName[]): void {
  try {
    systemctl(machine, ['disable', '--no-reload'], units)
  } catch {
    // A unit whose file is gone already cannot be disabled; its links are removed one by one right after.
  }
}
