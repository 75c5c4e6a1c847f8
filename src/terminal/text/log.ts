/** How deployments ended, the newest first, as `git log` would show it. */

import type { DeploymentId } from '../../plan/deployment-id.ts'
import { order } from '../../plan/host-state.ts'
import type { HostName, Oid } from '../../plan/names.ts'
import { printable } from '../clean.ts'
import type { Colors } from '../terminal.ts'
import { deploymentLines, type Look } from './deployments.ts'

/** What is known of one deployment on one host. */
export interface LogEntry {
  readonly host: HostName
  readonly id: DeploymentId
  readonly operator: string
  readonly from: string | null
  readonly to: string
  readonly outcome: 'held' | 'undone' | 'damaged' | 'unknown' | 'refused'
  readonly why: string
  readonly subject: string | null
  /** The commit that the files came from; null where it is not known. */
  readonly source: LogSource | null
  /** Milliseconds since 1970. */
  readonly at: number
  readonly ms: number
}

export interface LogSource {
  readonly commit: Oid
  readonly dirty: boolean
  /** Null where the commit is not in this repository. */
  readonly subject: string | null
}

type Placed = Pick<LogEntry, 'id' | 'at'>

/** Those of the newest deployments; null for all. */
export function newest<T extends Placed>(entries: readonly T[], count: number | null): readonly T[] {
  return count === null ? entries : byDeployment(entries).slice(0, count).flat()
}

function byDeployment<T extends Placed>(entries: readonly T[]): (readonly T[])[] {
  const deployments = new Map<string, T[]>()
  for (const entry of entries) deployments.set(entry.id, [...(deployments.get(entry.id) ?? []), entry])
  return [...deployments.values()].sort((a, b) => beganAt(b) - beganAt(a) || order(b[0]!.id, a[0]!.id))
}

export function logLines(entries: readonly LogEntry[], look: Look): string[] {
  const told = byDeployment(entries).map(group => {
    const [{ id, operator: author }] = group as readonly [LogEntry]
    const date = new Date(beganAt(group))
    const width = Math.max(...group.map(({ host }) => host.length))
    const sorted = [...group].sort((a, b) => order(a.host, b.host))
    return {
      id,
      author,
      date,
      lines: [
        ...fromLines(group),
        ...sorted.map(one => `${one.host.padEnd(width)}  ${ending(one, look.colors, what(one))}`),
      ],
    }
  })
  return deploymentLines(told, look)
}

/** Which commit went out: hosts that are rolled back together may go back to several. */
function fromLines(group: readonly LogEntry[]): string[] {
  const said = group.flatMap(({ source }) => {
    if (source === null) return []
    const subject = source.subject === null ? '' : ` (${printable(source.subject)})`
    return [`from ${source.commit.slice(0, 7)}${source.dirty ? ' with uncommitted changes' : ''}${subject}`]
  })
  return [...new Set(said)]
}

/** By the clocks of the hosts: an operator's, which the id begins with, may be anything. */
function beganAt(group: readonly Placed[]): number {
  return Math.min(...group.map(({ at }) => at))
}

/** With `what` was to change: before the reason, which may be long. */
export function ending(
  { outcome, ms, why }: Pick<LogEntry, 'outcome' | 'ms' | 'why'>,
  colors: Colors,
  what?: string,
): string {
  const after = `${(ms / 1000).toFixed(2)} s`
  const did = what === undefined ? '' : `, ${what}`
  const because = why === '' ? did : `${did}: ${printable(why)}`
  switch (outcome) {
    case 'held':
      return colors.green(`deployed in ${after}`) + did
    case 'undone':
      return colors.red(`rolled back after ${after}${because}`)
    case 'damaged':
      return colors.red(`rolled back incompletely after ${after}${because}`)
    case 'unknown':
      return colors.red(`outcome unknown after ${after}${because}`)
    case 'refused':
      return colors.yellow(`nothing changed${because}`)
  }
}

/** The subject of a host's commit begins with the host, which is said already. */
function what({ host, to, subject }: LogEntry): string {
  if (subject === null) return `commit ${to.slice(0, 7)}`
  return printable(subject.startsWith(`${host}: `) ? subject.slice(host.length + 2) : subject)
}
