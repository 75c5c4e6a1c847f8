/** The hosts that a repair has something to do on, by their own account. */
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
 * `inspected` has the answer of each host, in the same order. Throws Fatal if a host could not be asked, or runs another
 * commit than this repository believes.
 */
export function driftedHosts(hosts: readonly Tracked[], inspected: readonly Inspected[]): Drifted[] {
  const answered = inspected.map((one, i) => ({ tracked: hosts[i]!, answer: repairable(one, hosts[i]!) }))
  return answered.filter(({ tracked, answer }) => !isSound(answer, tracked.commit))
}

function repairable(one: Inspected, { host, commit, cluster }: Tracked): Answered {
  // Only a commit that a deployment to the host has made is deployed to it again.
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

/** Then it may not know what it runs. */
function hasLostItsRecord(findings: readonly Finding[]): boolean {
  return findings.some(({ kind }) => kind === 'object' || kind === 'journal')
}
