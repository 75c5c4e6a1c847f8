/** Watching units after they were (re)started, until each runs for certain or one fails. */
import type { UnitName } from '../../src/plan/names.ts'
import type { Machine } from '../host/machine.ts'
import { judge, showUnits, type UnitState } from './systemd.ts'

const POLL_MS = 50
/** A unit of another type than simple that is still activating when systemctl returned is given this long. */
const ACTIVATING_MS = 60_000

interface Failing {
  readonly unit: UnitName
  readonly fails: string
}

interface Watch {
  /** When the units were (re)started at the earliest, in ticks() of the machine. */
  readonly began: number
  /** How long a unit of Type=simple or exec must last, counted from the call. */
  readonly settleMs: number
  /** Others that are told where they fail, and are not waited for beyond that. */
  readonly beside?: readonly UnitName[]
  /** Ends the watch early. */
  readonly stop: () => boolean
}

/**
 * The units that fail, as soon as one does; none once all run. Units whose type tells readiness are taken at their
 * word.
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
