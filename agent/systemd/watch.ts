/** Watching units that were started or reloaded, until all of them run or one fails. */
import type { UnitName } from '../../src/plan/names.ts'
import type { Machine } from '../host/machine.ts'
import { hasEnded, judge, showUnits, type UnitState } from './systemd.ts'

const POLL_MS = 50
/** For units that are still activating when systemctl has returned. */
const ACTIVATING_MS = 60_000
/** New workers of a daemon that has reloaded answer, or fail, within 100 ms; some die only 700 ms later. */
const RELOADED_MS = 1000

interface Failing {
  readonly unit: UnitName
  readonly fails: string
}

/** How long units must run, from the beginning of the watch. */
interface Times {
  /** For units of types that do not report that they are ready. */
  readonly ms: number
  /** Units that must run for so long whatever they report. */
  readonly always?: readonly UnitName[]
  /** Units that were reloaded: they must run for at least a second. */
  readonly reloaded?: readonly UnitName[]
}

interface Watch extends Times {
  /** Before the units were started or reloaded, in ticks() of the machine. */
  readonly began: number
  /** Other units, which are reported if they fail, and not waited for. */
  readonly beside?: readonly UnitName[]
  /** Whether to end early. */
  readonly stop: () => boolean
  /** Called once, if units have to run for some time. */
  readonly onWait?: (units: readonly UnitName[], ms: number) => void
}

/** Returns as soon as a unit fails, or when all have run for their time. */
export function watch(machine: Machine, units: readonly UnitName[], watching: Watch): Failing[] {
  const { began, beside = [], reloaded = [], stop, onWait } = watching
  const started = machine.ticks()
  let told = false
  for (;;) {
    const elapsed = machine.ticks() - started
    const states = showUnits(machine, [...units, ...beside])
    const verdicts = states
      // What stops beside the units may be about to start again, and is missed later if it is not.
      .filter(({ unit, active }) => units.includes(unit) || active !== 'deactivating')
      .map(state => ({ state, verdict: judge(state, began) }))
    const failing = verdicts.flatMap(({ state, verdict }) =>
      typeof verdict === 'object' ? [{ unit: state.unit, fails: verdict.fails }] : [],
    )
    if (failing.length > 0) return failing
    const starting = verdicts
      .filter(({ state, verdict }) => verdict === 'starts' || isReloading(state, reloaded))
      .filter(({ state }) => units.includes(state.unit))
      .map(({ state }) => state)
    const timed = states.filter(state => timeFor(state, watching) > elapsed)
    const longest = Math.max(0, ...timed.map(state => timeFor(state, watching)))
    const limit = starting.length > 0 ? ACTIVATING_MS : longest
    if (elapsed >= limit || stop()) return elapsed >= limit ? late(starting) : []
    if (!told && longest > 0)
      onWait?.(
        timed.map(({ unit }) => unit),
        longest,
      )
    told = true
    machine.sleep(Math.min(POLL_MS, Math.max(1, limit - elapsed)))
  }
}

/** Units that reload by themselves are not waited for. */
function isReloading({ unit, active }: UnitState, reloaded: readonly UnitName[]): boolean {
  return active === 'reloading' && reloaded.includes(unit)
}

function timeFor(state: UnitState, { ms, always = [], reloaded = [] }: Times): number {
  if (hasEnded(state)) return 0
  // It reports the end of its reload.
  if (reloaded.includes(state.unit)) return state.type === 'notify-reload' ? ms : Math.max(ms, RELOADED_MS)
  const reports = !['simple', 'exec', 'idle'].includes(state.type) && state.active !== 'activating'
  return reports && !always.includes(state.unit) ? 0 : ms
}

function late(starting: readonly UnitState[]): Failing[] {
  return starting.map(({ unit, active, sub }) => ({ unit, fails: `is still ${active} (${sub})` }))
}
