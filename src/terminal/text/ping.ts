/** How hosts answered: a line for each. */
import type { HostName, Oid } from '../../plan/names.ts'
import type { InProgress } from '../../protocol/messages.ts'
import { printable } from '../clean.ts'
import type { Colors } from '../terminal.ts'
import { lockedBy } from './ends.ts'

export type Pinged =
  | {
      readonly kind: 'answered'
      readonly host: HostName
      readonly user: string
      readonly version: string
      readonly installed: boolean
      /** Round trips, in milliseconds. */
      readonly rtt: { readonly min: number; readonly median: number; readonly p95: number }
      /** What it runs, and what we think it does. */
      readonly current: Oid | null
      readonly tracked: Oid | null
      readonly inProgress: InProgress | null
      readonly aheadMs: number
    }
  | {
      readonly kind: 'failed'
      readonly host: HostName
      readonly message: string
      readonly hint: string | null
    }

export function pingLines(pinged: readonly Pinged[], colors: Colors): string[] {
  const rows = pinged.map(one =>
    one.kind === 'failed'
      ? [one.host, colors.red(printable(one.message))]
      : [
          one.host,
          `${[one.rtt.min, one.rtt.median, one.rtt.p95].map(ms => ms.toFixed(1)).join('/')} ms`,
          `as ${one.user}`,
          `agent ${one.version}${one.installed ? ' (just installed)' : ''}`,
          [runs(one.current, one.tracked, colors), ...beingDeployedTo(one.inProgress, colors)].join(', '),
        ],
  )
  // A message is as long as it is, and takes no part in the columns.
  const aligned = rows.filter(row => row.length > 2)
  const widths = [0, 1, 2, 3].map(column =>
    Math.max(0, ...(column === 0 ? rows : aligned).map(row => row[column]!.length)),
  )
  return rows.map(row =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join('  '),
  )
}

function runs(current: Oid | null, tracked: Oid | null, colors: Colors): string {
  if (current === null && tracked === null) return 'nothing deployed'
  const is = current === null ? 'nothing deployed' : `runs ${current.slice(0, 7)}`
  if (current === tracked) return `${is}, as recorded`
  return colors.yellow(
    `${is}, but this repository has recorded ${tracked === null ? 'nothing' : tracked.slice(0, 7)}`,
  )
}

function beingDeployedTo(inProgress: InProgress | null, colors: Colors): string[] {
  return inProgress ? [colors.yellow(lockedBy(inProgress))] : []
}
