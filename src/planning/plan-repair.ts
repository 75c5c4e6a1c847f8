/** `git deploy --repair`: a plan that brings hosts back to what they are recorded to run. */
import type { Accepting } from '../command.ts'
import type { Context } from '../context.ts'
import { Fatal } from '../errors.ts'
import { drive, ObjectReader } from '../git/objects.ts'
import type { Tracked } from '../git/refs.ts'
import { type FileDrift, type Finding, repairOf } from '../plan/drift.ts'
import { EMPTY_HOST, type HostState, readHosts } from '../plan/host-state.ts'
import type { AppName } from '../plan/names.ts'
import type { AppPlan, FileChange, HostPlan } from '../plan/plan.ts'
import { needsReconnect } from '../plan/reconnect.ts'
import { repairSteps } from '../plan/repair-steps.ts'
import { type Inspected, inspect } from '../remote/inspect.ts'
import { printable } from '../terminal/clean.ts'
import { verifyRecord } from '../terminal/json/hosts.ts'
import { driftLines, isSound } from '../terminal/text/drift.ts'
import { lockedBy } from '../terminal/text/ends.ts'
import type { Offline } from './plan-offline.ts'
import { reach } from './reach.ts'
import { type Recorded, readRecorded, type Wanted } from './recorded.ts'

/** Asks every host what it lacks. Throws Fatal where one cannot be asked, or is not where this repository believes. */
export async function planRepair(
  wanted: Wanted & Pick<Accepting, 'color'>,
  context: Context,
): Promise<Offline> {
  const recorded = await readRecorded(wanted, context)
  refuseNoDeployment(recorded)
  const connect = reach(recorded, context)
  const inspected = await inspect({
    hosts: recorded.hosts.map(({ host }) => host),
    parallel: recorded.config.jobs,
    connect: host => connect(host, true),
  })
  const drifted = inspected.map((one, i) => drift(one, recorded.hosts[i]!)).flatMap(found => found ?? [])
  const colors = context.terminal.noteColors(wanted.color ?? recorded.config.color)
  for (const { tracked, answer } of drifted) {
    context.emit(verifyRecord(answer, tracked.commit))
    for (const line of driftLines(answer, tracked.commit, colors)) context.terminal.note(line)
  }
  return offlineOf(recorded, drifted)
}

/** Files go to a host only from a commit that a deployment to it has made. */
function refuseNoDeployment({ hosts }: Recorded): void {
  const strange = hosts.find(({ cluster }) => cluster === null)
  if (strange === undefined) return
  throw new Fatal(
    `cannot repair '${strange.host}': refs/deptool/${strange.host} does not name a deployment`,
    {
      hint: `run 'git deploy forget ${strange.host}', then 'git deploy sync'`,
    },
  )
}

interface Drifted {
  readonly tracked: Tracked
  readonly answer: Extract<Inspected, { kind: 'asked' }>
}

function drift(one: Inspected, tracked: Tracked): Drifted | undefined {
  if (one.kind === 'unreachable')
    throw new Fatal(`cannot ask '${one.host}' what to repair: ${printable(one.message)}`, {
      hint: one.hint ?? undefined,
    })
  const { hello, verified } = one
  if (verified.pending !== null)
    throw new Fatal(`cannot repair '${one.host}': it is being deployed to, ${lockedBy(verified.pending)}`, {
      hint: 'try again when that has ended',
    })
  if (hello.current !== tracked.commit && !hasLostItsBearings(verified.findings))
    throw new Fatal(`cannot repair '${one.host}': it runs another commit than this repository knows of`, {
      hint: 'somebody else has deployed there, or it was set up anew; deploy to it instead',
    })
  return isSound(one, tracked.commit) ? undefined : { tracked, answer: one }
}

function hasLostItsBearings(findings: readonly Finding[]): boolean {
  return findings.some(({ kind }) => kind === 'object' || kind === 'journal')
}

async function offlineOf(recorded: Recorded, drifted: readonly Drifted[]): Promise<Offline> {
  const { repo, config, cluster, tracking, hosts } = recorded
  const objects = new ObjectReader(repo)
  const states = await drive(readHosts(drifted.map(({ tracked }) => tracked.tree)), objects)
  const plans = drifted.map(({ tracked, answer }, i) => planOf(tracked, answer.verified.findings, states[i]!))
  return {
    repo,
    config,
    cluster,
    source: { kind: 'recorded' },
    tracking,
    hosts: hosts.map(({ host }) => host),
    plan: {
      cluster: cluster.name,
      hosts: plans,
      vanished: [],
      leaving: [],
      total: hosts.length,
      leftOut: null,
      unsettled: [],
    },
    // As if the host had nothing: everything is sent again, whatever of it the host has lost.
    states: new Map(drifted.map(({ tracked }, i) => [tracked.host, { old: EMPTY_HOST, next: states[i]! }])),
    objects,
    back: null,
  }
}

function planOf({ host, commit, tree }: Tracked, findings: readonly Finding[], state: HostState): HostPlan {
  const repair = repairOf(findings)

  const apps = state.apps.filter(({ name }) => repair.apps.includes(name))
  return {
    host,
    from: commit,
    fromTree: tree,
    toTree: tree,
    apps: [
      ...apps.map(({ name }): AppPlan => ({ app: name, action: 'repair', files: filesOf(name, findings) })),
      ...repair.goneApps.map((app): AppPlan => ({ app, action: 'remove', files: [] })),
    ],
    steps: repairSteps(state, repair),
    reconnect: needsReconnect(EMPTY_HOST, { ...state, apps }),
    repair,
  }
}

const ACTIONS: { readonly [how in FileDrift]: FileChange['action'] } = {
  missing: 'add',
  changed: 'modify',
  mode: 'modify',
  owner: 'modify',
  kind: 'modify',
  extra: 'delete',
}

function filesOf(app: AppName, findings: readonly Finding[]): FileChange[] {
  return findings.flatMap(finding =>
    finding.kind === 'file' && finding.app === app
      ? [{ path: finding.path, action: ACTIONS[finding.how] }]
      : [],
  )
}
