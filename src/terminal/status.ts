/** What is deployed where: a line for each host. */
import type { Deployed } from '../deployed.ts'
import type { ClusterName, HostName, Oid } from '../plan/names.ts'
import type { Plan } from '../plan/plan.ts'
import type { DeploymentId } from '../protocol/messages.ts'
import { printable } from './clean.ts'
import type { JsonRecord } from './json.ts'
import type { Colors } from './terminal.ts'

export interface HostStatus {
  readonly host: HostName
  readonly state: 'current' | 'pending' | 'new' | 'vanished'
  /** How many apps would change. */
  readonly apps: number
  readonly commit: Oid | null
  readonly deployed: Deployed | null
  /** The last deployment, where nobody knows how it ended. */
  readonly unheard: DeploymentId | null
}

export interface Known {
  readonly plan: Plan
  /** Every host of the tree. */
  readonly hosts: readonly HostName[]
  /** What each tracked host is at. */
  readonly commits: ReadonlyMap<HostName, Oid>
  readonly deployed: ReadonlyMap<string, Deployed>
  readonly unheard: ReadonlyMap<HostName, DeploymentId>
}

export interface StatusLook {
  readonly colors: Colors
  /** How many digits of a commit's name are shown. */
  readonly abbrev: number
}

/** The hosts of the tree, then those that are not in it any more. */
export function hostStatuses({ plan, hosts, commits, deployed, unheard }: Known): HostStatus[] {
  const changes = new Map(plan.hosts.map(({ host, apps }) => [host, apps.length]))
  const statusOf = (host: HostName, state: HostStatus['state'], apps: number): HostStatus => {
    const commit = commits.get(host) ?? null
    const known = (commit && deployed.get(commit)) ?? null
    return { host, state, apps, commit, deployed: known, unheard: unheard.get(host) ?? null }
  }
  return [
    ...hosts.map(host => {
      const apps = changes.get(host) ?? 0
      const state = !commits.has(host) ? 'new' : apps > 0 ? 'pending' : 'current'
      return statusOf(host, state, apps)
    }),
    ...plan.vanished.map(host => statusOf(host, 'vanished', 0)),
  ]
}

export function renderStatus(
  cluster: ClusterName,
  statuses: readonly HostStatus[],
  { colors, abbrev }: StatusLook,
): string[] {
  if (statuses.length === 0) return [`${cluster} has no hosts`]
  const rows = statuses.map(status => [
    status.host,
    describe(status.deployed, abbrev),
    stateWords(status, cluster, colors),
  ])
  const width = (column: number) => Math.max(...rows.map(row => row[column]!.length))
  const [host, what] = [width(0), width(1)]
  return rows.map((row, i) => {
    const { unheard } = statuses[i]!
    const open = unheard === null ? '' : `, ${colors.red(`and nobody knows how deployment ${unheard} ended`)}`
    return `${row[0]!.padEnd(host)}  ${row[1]!.padEnd(what)}  ${row[2]}${open}`
  })
}

/** For scripts: columns that stay what they are, '-' where there is nothing to say. New ones go to the end. */
export function renderPorcelain(statuses: readonly HostStatus[]): string[] {
  return statuses.map(({ host, state, apps, commit, deployed, unheard }) => {
    const { source, at, deployment, who } = deployed ?? {}
    const columns = [host, state, `${apps}`, commit, source, at, deployment, who, unheard]
    return columns.map(column => (column ? printable(column) : '-')).join('\t')
  })
}

export function statusRecord(
  cluster: ClusterName,
  { host, state, apps, commit, deployed, unheard }: HostStatus,
): JsonRecord {
  const { source = null, at = null, who: by = null, deployment = null } = deployed ?? {}
  return {
    type: 'status',
    cluster,
    host,
    state,
    apps,
    commit,
    source: source || null,
    at,
    by,
    deployment: deployment || null,
    unheard,
  }
}

function describe(deployed: Deployed | null, abbrev: number): string {
  if (!deployed) return 'never deployed'
  const [commit = '', dirty] = deployed.source.split('+')
  if (commit === 'repair')
    return printable(['repaired', deployed.when, 'by', deployed.who].filter(Boolean).join(' '))
  const source =
    commit === 'none' ? 'uncommitted files' : `${commit.slice(0, abbrev)}${dirty ? '+dirty' : ''}`
  return printable(['deployed', source, deployed.when, 'by', deployed.who].filter(Boolean).join(' '))
}

function stateWords({ state, apps }: HostStatus, cluster: ClusterName, colors: Colors): string {
  if (state === 'vanished') return colors.yellow(`not in '${cluster}' any more`)
  if (apps === 0) return colors.green('up to date')
  return colors.cyan(apps === 1 ? '1 app to change' : `${apps} apps to change`)
}
