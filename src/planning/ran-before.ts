/** What hosts ran before their last deployment, as the history of this repository has it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Fatal } from '../errors.ts'
import { readEach } from '../git/deployments.ts'
import type { Repository } from '../git/git.ts'
import type { Tracked } from '../git/refs.ts'
import type { HostCommitSaid } from '../news.ts'
import type { HostName, Oid } from '../plan/names.ts'
import type { RanBefore } from './planned.ts'

/** `said`: what the commits say that the hosts run. Throws Fatal where nothing ran before, or it is not known here. */
export async function readBefore(
  repo: Repository,
  tracked: readonly Tracked[],
  said: ReadonlyMap<Oid, HostCommitSaid>,
): Promise<Map<HostName, RanBefore>> {
  const parents = tracked.map(one => said.get(one.commit)?.parents[0] ?? refuseFirst(repo, one))
  const commits = await readEach(repo, parents)
  // A repair has deployed the same once more, and to go back to before it would be to stay.
  const isRepaired = tracked.map(({ tree }, i) => commits.get(parents[i]!)?.tree === tree)
  if (isRepaired.includes(true)) {
    const earlier = tracked.map((one, i) => (isRepaired[i] ? { ...one, commit: parents[i]! } : one))
    return readBefore(repo, earlier, new Map([...said, ...commits]))
  }
  return new Map(
    tracked.map(
      ({ host }, i) => [host, deploymentOf(host, commits.get(parents[i]!)) ?? refuseMissing(host)] as const,
    ),
  )
}

/** Files go to a host only from a commit that a deployment to it has made: no other may become its history. */
function deploymentOf(host: HostName, ran: HostCommitSaid | undefined): HostCommitSaid | undefined {
  if (ran?.deployment !== '') return ran
  throw new Fatal(
    `cannot roll back '${host}': ${ran.commit.slice(0, 10)}, the commit to go back to, does not record a deployment`,
    { hint: `run 'git deploy forget ${host}', then 'git deploy sync'` },
  )
}

function refuseFirst({ commonDir }: Repository, { host, cluster }: Tracked): never {
  if (existsSync(join(commonDir, 'shallow')))
    throw new Fatal(`cannot roll back '${host}': this clone is shallow and may lack the earlier deployment`, {
      hint: "run 'git fetch --unshallow'",
    })
  throw new Fatal(`cannot roll back '${host}': it has no earlier deployment`, {
    hint: `to remove its apps, empty the directory '${cluster}/${host}' and deploy`,
  })
}

function refuseMissing(host: HostName): never {
  throw new Fatal(`cannot roll back '${host}': its earlier deployment is not in this repository`, {
    hint: `run 'git deploy forget ${host}', then 'git deploy sync', to fetch its whole history`,
  })
}
