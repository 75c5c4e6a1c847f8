/** How a saved plan and the same plan made now differ: both sides named. */
import { readHostCommits } from '../git/host-commits.ts'
import { heldSince } from '../git/outcomes.ts'
import type { HostName, Oid } from '../plan/names.ts'
import { printable } from '../terminal/clean.ts'
import { byHostsClock } from '../terminal/text/clock.ts'
import { digestOf } from './digest-of.ts'
import type { Planned } from './planned.ts'
import type { SavedHost, SavedPlan } from './saved-plan.ts'

interface Difference {
  readonly host: HostName
  /** behind: this repository does not have the commit that the plan starts from. */
  readonly kind: 'behind' | 'moved' | 'tree' | 'steps'
  readonly what: string
}

/** Empty if the plan can be carried out. `version` is that of this git-deploy. */
export async function differences(saved: SavedPlan, now: Planned, version: string): Promise<Difference[]> {
  const found = await Promise.all(
    saved.hosts.map(async host => {
      const told =
        (await movedSince(saved, host, now)) ??
        otherTree(host, now) ??
        otherSteps(host, saved.version, now, version)
      return told ? [{ host: host.host, ...told }] : []
    }),
  )
  return [...found.flat(), ...removals(saved, now)]
}

/** Hosts that had no apps left when the plan was saved, so that it only stops tracking them. */
function removals(saved: SavedPlan, { plan }: Planned): Difference[] {
  const planned = new Set(saved.hosts.map(({ host }) => host))
  const what = 'the plan only stops tracking the host, but now there are apps to remove'
  return plan.hosts
    .filter(({ host }) => !planned.has(host))
    .map(({ host }) => ({ host, kind: 'moved', what }))
}

type Told = Omit<Difference, 'host'>

async function movedSince({ id }: SavedPlan, { host, from }: SavedHost, now: Planned): Promise<Told | null> {
  const { repo, tracking, objects } = now
  const commit = tracking.get(host)?.commit ?? null
  if (commit === from) return null
  const planned = from === null ? 'a host without a deployment' : `commit ${short(from)}`
  const kind = from !== null && (await objects.readTyped(from)) === undefined ? 'behind' : 'moved'
  if (commit === null)
    return {
      kind,
      what: `the plan starts from ${planned}, but this repository has not recorded a deployment to the host`,
    }
  const said = (await readHostCommits(repo, [commit])).get(commit)!
  const { deployment, when, who } = byHostsClock(said, heldSince(repo, host, commit), repo.now())
  if (deployment === id) return { kind, what: `the plan was applied to the host ${when}` }
  const by = printable(`${when} by ${who}`)
  return {
    kind,
    what: `the plan starts from ${planned}, but the host is now at ${short(commit)}, deployed ${by}`,
  }
}

function otherTree({ host, toTree }: SavedHost, { plan, tracking, hosts }: Planned): Told | null {
  const deploys = `the plan deploys tree ${short(toTree)}, but its commit contains`
  if (!hosts.includes(host) && !plan.leaving.includes(host))
    return { kind: 'tree', what: `${deploys} no such host` }
  // A host that is not in the plan already has what it should.
  const tree = plan.hosts.find(planned => planned.host === host)?.toTree ?? tracking.get(host)?.tree
  if (tree === toTree) return null
  return {
    kind: 'tree',
    what: `${deploys} ${tree === undefined ? 'no apps' : `tree ${short(tree)}`} for the host`,
  }
}

function otherSteps(
  { host, digest }: SavedHost,
  theirs: string,
  { plan }: Planned,
  ours: string,
): Told | null {
  const planned = plan.hosts.find(planned => planned.host === host)
  const here = planned ? digestOf(planned) : null
  if (here === digest) return null
  const versions =
    theirs === ours ? '' : `; the plan was saved by version ${printable(theirs)}, this is version ${ours}`
  const what = `the plan's digest is ${short(digest)}, but git-deploy now computes ${here ? short(here) : 'none'} for the same change`
  return { kind: 'steps', what: `${what}${versions}` }
}

function short(name: Oid | string): string {
  return name.slice(0, 10)
}
