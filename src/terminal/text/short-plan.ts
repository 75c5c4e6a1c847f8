/** A plan in a line for each host: for those who did not ask for it, and for scripts. */

import type { HostPlan, Plan } from '../../plan/plan.ts'
import { isFinding } from '../../plan/taken-back.ts'
import { quoted } from '../clean.ts'
import type { Look } from './plan.ts'
import { nothingToChange, unsettledWords } from './unsettled.ts'

const MANY = 20

export function shortPlan(
  { cluster, hosts, vanished, total, unsettled, takenBack }: Plan,
  { colors, verbose }: Look,
): string[] {
  const left = [
    ...vanished.map(host => colors.yellow(`    ${host}  is no longer in '${cluster}'`)),
    ...[...new Set(takenBack.filter(isFinding).map(({ host }) => host))].map(host =>
      colors.yellow(`    ${host}  runs changes that would be taken back`),
    ),
    ...unsettled.map(one => colors.yellow(`    ${one.host}  ${unsettledWords(one)}`)),
  ]
  if (hosts.length === 0)
    return [
      unsettled.length > 0
        ? nothingToChange(cluster)
        : `${cluster} is up to date (${total} host${total === 1 ? '' : 's'})`,
      ...left,
    ]
  const shown = verbose || hosts.length <= MANY + 1 ? hosts : hosts.slice(0, MANY)
  const width = Math.max(...shown.map(({ host }) => host.length))
  const more = hosts.length - shown.length
  return [
    `${cluster}: ${hosts.length} of ${total} host${total === 1 ? '' : 's'} would change`,
    ...shown.map(host => `    ${colors.bold(host.host.padEnd(width))}  ${appsOf(host)}`),
    ...(more > 0 ? [`    … and ${more} more hosts`] : []),
    ...left,
  ]
}

/** 'add redis, users, update nginx (new host)' */
function appsOf({ apps, from }: HostPlan): string {
  const words = apps.map(({ app, action }, i) =>
    action === apps[i - 1]?.action ? quoted(app) : `${action} ${quoted(app)}`,
  )
  return `${words.join(', ')}${from === null ? ' (new host)' : ''}`
}
