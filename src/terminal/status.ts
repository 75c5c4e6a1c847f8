/** What is deployed where: a line for each host. */
import type { HostName } from '../plan/names.ts'
import type { Plan } from '../plan/plan.ts'
import { printable } from './clean.ts'
import type { Colors } from './terminal.ts'

/** What a host's commit says about its deployment. */
export interface Deployed {
  /** The commit that the files came from, with '+dirty' where they were changed; 'none+dirty' before the first commit. */
  readonly source: string
  readonly when: string
  readonly who: string
}

export interface Status {
  readonly plan: Plan
  /** Every host of the tree. */
  readonly hosts: readonly HostName[]
  readonly deployed: ReadonlyMap<HostName, Deployed>
  /** How many digits of a commit's name are shown. */
  readonly abbrev: number
}

export function renderStatus({ plan, hosts, deployed, abbrev }: Status, colors: Colors): string[] {
  const pending = new Map(plan.hosts.map(({ host, apps }) => [host, apps.length]))
  const rows = [
    ...hosts.map(host => [host, describe(deployed.get(host), abbrev), state(pending.get(host), colors)]),
    ...plan.vanished.map(host => [
      host,
      describe(deployed.get(host), abbrev),
      colors.yellow(`not in '${plan.cluster}' any more`),
    ]),
  ]
  if (rows.length === 0) return [`${plan.cluster} has no hosts`]
  const width = (column: number) => Math.max(...rows.map(row => row[column]!.length))
  const [host, what] = [width(0), width(1)]
  return rows.map(row => `${row[0]!.padEnd(host)}  ${row[1]!.padEnd(what)}  ${row[2]}`)
}

function describe(deployed: Deployed | undefined, abbrev: number): string {
  if (!deployed) return 'never deployed'
  const [commit = '', dirty] = deployed.source.split('+')
  const source =
    commit === 'none' ? 'uncommitted files' : `${commit.slice(0, abbrev)}${dirty ? '+dirty' : ''}`
  return printable(['deployed', source, deployed.when, 'by', deployed.who].filter(Boolean).join(' '))
}

function state(pending: number | undefined, colors: Colors): string {
  if (pending === undefined) return colors.green('up to date')
  return colors.cyan(pending === 1 ? '1 app to change' : `${pending} apps to change`)
}
