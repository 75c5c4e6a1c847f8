/** What hosts ran before their last deployment, according to the history in this repository. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Fatal } from '../errors.ts'
import type { Repository } from '../git/git.ts'
import { readHostCommits } from '../git/host-commits.ts'
import type { Tracked } from '../git/refs.ts'
import type { HostCommit } from '../host-commit.ts'
import type { HostName, Oid } from '../plan/names.ts'
import type { RanBefore } from './planned.ts'

/** `said`: the commits that the hosts run now. Throws Fatal if nothing ran before, or this repository does not have it. */
export async function readBefore(
  repo: Repository,
  tracked: readonly Tracked[],
  said: ReadonlyMap<Oid, HostCommit>,
): Promise<Map<HostName, RanBefore>> {
  const parents = tracked.map(one => said.get(one.commit)?.parents[0] ?? refuseFirst(repo, one))
  const commits = await readHostCommits(repo, parents)
  // A repair deploys the same tree once more: going back to before it would change nothing.
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

/** Only a commit that a deployment to the host has made is deployed to it again: a host may claim to run any other. */
function deploymentOf(host: HostName, ran: HostCommit | undefined): HostCommit | undefined {
  if (ran?.deployment !== null) return ran
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
