/** Watching units that were (re)started, until all of them run or one fails. */
import type { UnitName } from '../../src/plan/names.ts'
import type { Machine } from '../host/machine.ts'
import { judge, showUnits, type UnitState } from './systemd.ts'

const POLL_MS = 50
/** For units that are still activating when systemctl has returned. */
const ACTIVATING_MS = 60_000

interface Failing {
  readonly unit: UnitName
  readonly fails: string
}

interface Watch {
  /** Before the units were (re)started, in ticks() of the machine. */
  readonly began: number
  /** How long a unit of Type=simple or exec must run, from this call on. */
  readonly settleMs: number
  /** Other units, which are reported if they fail, and not waited for. */
  readonly beside?: readonly UnitName[]
  /** Whether to end early. */
  readonly stop: () => boolean
}

/**
 * Returns as soon as a unit fails, or all run. Types that report readiness are believed; others have to run for
 * `settleMs`.
 */
export function watch(
  machine: Machine,
  units: readonly UnitName[],
  { began, settleMs, beside = [], stop }: Watch,
): Failing[] {
  const started = machine.ticks()
  for (;;) {
    const elapsed = machine.ticks() - started
    const states = showUnits(machine, [...units, ...beside])
    const verdicts = states.map(state => ({ state, verdict: judge(state, began) }))
    const failing = verdicts.flatMap(({ state, verdict }) =>
      typeof verdict === 'object' ? [{ unit: state.unit, fails: verdict.fails }] : [],
    )
    if (failing.length > 0) return failing
    const waiting = verdicts.filter(({ verdict }) => verdict === 'wait').map(({ state }) => state)
    const activating = waiting.filter(state => state.active === 'activating' && units.includes(state.unit))
    const limit = activating.length > 0 ? ACTIVATING_MS : settleMs
    if (waiting.length === 0 || elapsed >= limit || stop()) return elapsed >= limit ? late(activating) : []
    machine.sleep(Math.min(POLL_MS, Math.max(1, limit - elapsed)))
  }
}

function late(activating: readonly UnitState[]): Failing[] {
  return activating.map(({ unit, sub }) => ({ unit, fails: `is still activating (${sub})` }))
}
