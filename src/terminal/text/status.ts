/** What is deployed where: a line for each host. */
import type { HostCommit } from '../../host-commit.ts'
import type { ClusterName, HostName, Oid } from '../../plan/names.ts'
import type { Plan, Unsettled } from '../../plan/plan.ts'
import { printable } from '../clean.ts'
import type { JsonRecord } from '../json/records.ts'
import type { Colors } from '../terminal.ts'
import { noHosts } from './names.ts'
import { unsettledWords } from './unsettled.ts'

interface HostStatus {
  readonly host: HostName
  readonly state: 'current' | 'pending' | 'new' | 'vanished'
  /** How many apps would change. */
  readonly apps: number
  readonly commit: Oid | null
  readonly deployed: HostCommit | null
  readonly unsettled: Unsettled | null
}

interface Known {
  readonly plan: Plan
  /** Every host of the tree. */
  readonly hosts: readonly HostName[]
  /** What each tracked host is at. */
  readonly commits: ReadonlyMap<HostName, Oid>
  readonly deployed: ReadonlyMap<Oid, HostCommit>
}

interface StatusLook {
  readonly colors: Colors
  /** How many digits of a commit's name are shown. */
  readonly abbrev: number
}

/** The hosts of the tree, then those that are not in it any more. */
export function hostStatuses({ plan, hosts, commits, deployed }: Known): HostStatus[] {
  const changes = new Map(plan.hosts.map(({ host, apps }) => [host, apps.length]))
  const unsettled = new Map(plan.unsettled.map(one => [one.host, one]))
  const statusOf = (host: HostName, state: HostStatus['state'], apps: number): HostStatus => {
    const commit = commits.get(host) ?? null
    const known = (commit && deployed.get(commit)) ?? null
    return { host, state, apps, commit, deployed: known, unsettled: unsettled.get(host) ?? null }
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
  if (statuses.length === 0) return [noHosts(cluster)]
  const rows = statuses.map(status => [
    status.host,
    describe(status.deployed, abbrev),
    stateWords(status, cluster, colors),
  ])
  const width = (column: number) => Math.max(...rows.map(row => row[column]!.length))
  const [host, what] = [width(0), width(1)]
  return rows.map((row, i) => {
    const { unsettled } = statuses[i]!
    const open = unsettled ? `, ${colors.red(`but ${unsettledWords(unsettled)}`)}` : ''
    return `${row[0]!.padEnd(host)}  ${row[1]!.padEnd(what)}  ${row[2]}${open}`
  })
}

/** For scripts: columns that stay what they are, '-' where there is nothing to say. New ones go to the end. */
export function renderPorcelain(statuses: readonly HostStatus[]): string[] {
  return statuses.map(({ host, state, apps, commit, deployed, unsettled }) => {
    const { source, at, deployment, who } = deployed ?? {}
    const { unheard, damaged } = byOutcome(unsettled)
    const columns = [host, state, `${apps}`, commit, source, at, deployment, who, unheard, damaged]
    return columns.map(column => (column ? printable(column) : '-')).join('\t')
  })
}

export function statusRecord(
  cluster: ClusterName,
  { host, state, apps, commit, deployed, unsettled }: HostStatus,
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
    deployment,
    ...byOutcome(unsettled),
  }
}

/** By the names that scripts know them by. */
function byOutcome(unsettled: Unsettled | null): {
  readonly unheard: string | null
  readonly damaged: string | null
} {
  const { deployment = null, outcome } = unsettled ?? {}
  return {
    unheard: outcome === 'unknown' ? deployment : null,
    damaged: outcome === 'damaged' ? deployment : null,
  }
}

function describe(deployed: HostCommit | null, abbrev: number): string {
  if (!deployed) return 'never deployed'
  const [commit = '', dirty] = deployed.source.split('+')
  if (commit === 'repair')
    return printable(['repaired', deployed.when, 'by', deployed.who].filter(Boolean).join(' '))
  const source =
    commit === 'none' ? 'uncommitted files' : `${commit.slice(0, abbrev)}${dirty ? '+dirty' : ''}`
  return printable(['deployed', source, deployed.when, 'by', deployed.who].filter(Boolean).join(' '))
}

function stateWords({ state, apps }: HostStatus, cluster: ClusterName, colors: Colors): string {
  if (state === 'vanished') return colors.yellow(`no longer in '${cluster}'`)
  if (apps === 0) return colors.green('up to date')
  return colors.cyan(apps === 1 ? '1 app to change' : `${apps} apps to change`)
}
