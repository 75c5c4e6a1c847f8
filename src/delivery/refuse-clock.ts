import { Fatal } from '../errors.ts'

/** Git keeps the time of a commit as a number of 32 bits where others check what they are given (git-fsck(1)). */
const LAST = 0xffff_ffff * 1000

/** Throws Fatal where a commit of this time is one that no other clone would take. */
export function refuseClock(now: Date): void {
  const ms = now.getTime()
  if (ms >= 0 && ms <= LAST) return
  const says = Number.isNaN(ms) ? 'no time at all' : `${now.toISOString().replace(/T.*/, '')}`
  throw new Fatal(`cannot record a deployment: this clock says ${says}, and git records 1970 to 2106-02-07`, {
    hint: 'set the clock of this machine',
  })
}
