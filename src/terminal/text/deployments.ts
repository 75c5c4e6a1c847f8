/** Deployments as `git log` would show them: one for all the hosts that it went to. */
import type { DeploymentId } from '../../plan/deployment-id.ts'
import { printable } from '../clean.ts'
import type { Colors } from '../terminal.ts'
import { minutesAhead } from './time-zone.ts'

interface ToldDeployment {
  /** Null where it is not known. */
  readonly id: DeploymentId | null
  /** `Name <email>`. */
  readonly author: string
  readonly date: Date
  /** What is said below the heading; shown as it is. */
  readonly lines: readonly string[]
}

export interface Look {
  readonly colors: Colors
  /** TZ; undefined where it is not set. */
  readonly timeZone: string | undefined
}

export function deploymentLines(told: readonly ToldDeployment[], { colors, timeZone }: Look): string[] {
  return told.flatMap(({ id, author, date, lines }, i) => [
    ...(i === 0 ? [] : ['']),
    colors.yellow(`deployment ${id ?? 'without an id'}`),
    `Author: ${printable(author)}`,
    `Date:   ${isoDate(date, timeZone)}`,
    '',
    ...lines.map(line => `    ${line}`),
  ])
}

/** As --date=iso of git-log(1): in the local time zone, which is said. */
function isoDate(date: Date, timeZone: string | undefined): string {
  const minutes = minutesAhead(date, timeZone)
  const local = new Date(date.getTime() + minutes * 60_000).toISOString()
  const zone = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map(n => `${n}`.padStart(2, '0'))
  return `${local.slice(0, 10)} ${local.slice(11, 19)} ${minutes < 0 ? '-' : '+'}${zone.join('')}`
}
