/** `git deploy --repair`: a plan that brings hosts back to what they are recorded to run. */
import { ObjectReader } from '../git/objects.ts'
import type { Tracked } from '../git/refs.ts'
import { type FileDrift, type Finding, repairOf } from '../plan/drift.ts'
import { EMPTY_HOST, type HostState } from '../plan/host-state.ts'
import type { AppName } from '../plan/names.ts'
import type { AppPlan, FileChange, HostPlan } from '../plan/plan.ts'
import { needsReconnect } from '../plan/reconnect.ts'
import { repairSteps } from '../plan/repair-steps.ts'
import type { KnownCluster } from './cluster-hosts.ts'
import type { Drifted } from './drifted.ts'
import { type Planned, planned } from './planned.ts'
import { readStates } from './read-states.ts'

/** `recorded`: the hosts that were asked, of which `drifted` has those to repair. */
export async function planRepair(
  recorded: KnownCluster<Tracked>,
  drifted: readonly Drifted[],
): Promise<Planned> {
  const { repo, cluster, hosts } = recorded
  const objects = new ObjectReader(repo)
  const states = await readStates(
    drifted.map(({ tracked }) => tracked.tree),
    objects,
  )
  const changes = drifted.map(({ tracked, answer }) => {
    const next = states.get(tracked.tree)!
    // As if the host had nothing: it may have lost anything, so everything is sent again.
    return { plan: planOf(tracked, answer.verified.findings, next), old: EMPTY_HOST, next }
  })
  return planned(recorded, {
    objects,
    cluster,
    source: { kind: 'recorded' },
    hosts: hosts.map(({ host }) => host),
    changes,
    // The hosts were asked just now.
    unsettled: new Map(),
  })
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
