/** Which hosts a repair has something to do on, by what they say themselves. */
import { Fatal } from '../errors.ts'
import type { Tracked } from '../git/refs.ts'
import { type Answered, type Inspected, isSound } from '../inspected.ts'
import type { Finding } from '../plan/drift.ts'
import { printable } from '../terminal/clean.ts'
import { lockedBy } from '../terminal/text/ends.ts'

export interface Drifted {
  readonly tracked: Tracked
  readonly answer: Answered
}

/**
 * `inspected` has what each of the hosts said, in their order. Throws Fatal where one could not be asked, or is not
 * where this repository believes.
 */
export function driftedHosts(hosts: readonly Tracked[], inspected: readonly Inspected[]): Drifted[] {
  const answered = inspected.map((one, i) => ({ tracked: hosts[i]!, answer: repairable(one, hosts[i]!) }))
  return answered.filter(({ tracked, answer }) => !isSound(answer, tracked.commit))
}

function repairable(one: Inspected, { host, commit, cluster }: Tracked): Answered {
  // Files go to a host only from a commit that a deployment to it has made.
  if (cluster === null)
    throw new Fatal(`cannot repair '${host}': refs/deptool/${host} does not name a deployment`, {
      hint: `run 'git deploy forget ${host}', then 'git deploy sync'`,
    })
  if (one.kind === 'unreachable')
    throw new Fatal(`cannot repair '${host}': ${printable(one.message)}`, {
      hint: one.hint ?? undefined,
    })
  const { hello, verified } = one
  if (verified.pending !== null)
    throw new Fatal(`cannot repair '${host}': deployment in progress, ${lockedBy(verified.pending)}`, {
      hint: 'try again when the deployment has ended',
    })
  if (hello.current !== commit && !hasLostItsRecord(verified.findings))
    throw new Fatal(`cannot repair '${host}': it does not run the commit that this repository has recorded`, {
      hint: "it may have been deployed to by a colleague, restored or reinstalled; run 'git deploy sync', then deploy instead",
    })
  return one
}

/** Then what it says of what it runs is worth nothing. */
function hasLostItsRecord(findings: readonly Finding[]): boolean {
  return findings.some(({ kind }) => kind === 'object' || kind === 'journal')
}
