/** Clocks that do not agree: commits bear the operator's, which may be anything, and hosts go by their own. */
import type { HostCommit } from '../../host-commit.ts'
import type { HostName } from '../../plan/names.ts'

/** A line for all hosts: the one whose clock differs most stands for the others. None where all are within a minute. */
export function clockNotes(ahead: ReadonlyMap<HostName, number>): string[] {
  const [worst] = [...ahead].sort(([, a], [, b]) => Math.abs(b) - Math.abs(a))
  if (worst === undefined || Math.abs(worst[1]) <= MINUTE) return []
  const [host, ms] = worst
  return [`note: this clock is ${lengthOf(Math.abs(ms))} ${ms > 0 ? 'ahead of' : 'behind'} ${host}'s`]
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** In the largest unit of which there are two or more, as git tells ages. */
function lengthOf(ms: number): string {
  for (const [unit, name] of UNITS) if (ms >= 2 * unit) return `${Math.round(ms / unit)} ${name}s`
  return `${Math.round(ms / 1000)} seconds`
}

const UNITS = [
  [365 * DAY, 'year'],
  [30 * DAY, 'month'],
  [7 * DAY, 'week'],
  [DAY, 'day'],
  [HOUR, 'hour'],
  [MINUTE, 'minute'],
] as const

/** A commit with the time at which its deployment began by the host's clock, if that is known. */
export function byHostsClock(commit: HostCommit, since: number | undefined, now: Date): HostCommit {
  if (since === undefined) return commit
  const date = new Date(since)
  const at = `${date.toISOString().slice(0, 19)}+00:00`
  return { ...commit, date, at, when: age(now.getTime() - since) }
}

/** As in '3 minutes ago'. No two clocks are the same to the second. */
function age(ms: number): string {
  return ms < -MINUTE ? 'in the future' : `${lengthOf(Math.max(0, ms))} ago`
}
