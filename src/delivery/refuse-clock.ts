import { Fatal } from '../errors.ts'

/** Git keeps the time of a commit as a number of 32 bits where others check what they are given (git-fsck(1)). */
const LAST = 0xffff_ffff * 1000

/** Throws Fatal at a time of which no other clone would accept a commit. */
export function refuseClock(now: Date): void {
  const ms = now.getTime()
  if (ms >= 0 && ms <= LAST) return
  const [day] = now.toISOString().split('T')
  const what = `this machine's clock says ${day}, and Git's dates go from 1970 to 2106-02-07`
  throw new Fatal(`cannot contact hosts: ${what}`, { hint: 'set the clock of this machine' })
}
