/** What the steps of a deployment were to do with units, and what ran before them. */
import type { UnitName } from '../../src/plan/names.ts'
import type { Prepared } from '../store/journal.ts'
import type { Comparison } from '../systemd/taken-down.ts'

/** Of the steps that were begun. */
export function comparisonOf(prepared: readonly Prepared[], ours: readonly UnitName[]): Comparison {
  const units = (kinds: readonly string[]) =>
    prepared.flatMap(({ step }) => (kinds.includes(step.kind) && 'units' in step ? step.units : []))
  const before = prepared.flatMap(({ before }) => (before.kind === 'units' ? [before] : []))
  return {
    ran: before.flatMap(({ ran = [] }) => ran),
    planned: [...units(['stop', 'restart', 'reload']), ...before.flatMap(({ running }) => running)],
    stopped: units(['stop']),
    ours,
  }
}
