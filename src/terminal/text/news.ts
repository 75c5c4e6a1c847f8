/** What hosts turned out to run, and who made it so. */
import type { HostCommit } from '../../host-commit.ts'
import type { Heard, Moved, News } from '../../news.ts'
import { order } from '../../plan/host-state.ts'
import type { HostName, Oid } from '../../plan/names.ts'
import { printable } from '../clean.ts'
import type { Colors } from '../terminal.ts'
import { deploymentLines, type Look } from './deployments.ts'
import { lockedBy } from './ends.ts'
import { ending } from './log.ts'
import { operatorName } from './names.ts'

/** A line for each host, and one for each of its deployments whose end was not known until now. */
export function heardLines(heard: ReadonlyMap<HostName, Heard>, colors: Colors): string[] {
  const news = newsLines(new Map([...heard].map(([host, { news }]) => [host, news])), colors)
  return [...heard].flatMap(([host, { inProgress, ended }], i) => [
    inProgress ? `${news[i]}, ${colors.yellow(lockedBy(inProgress))}` : news[i]!,
    ...ended.map(one => `${host}  deployment ${printable(one.id)}: ${ending(one, colors)}`),
  ])
}

/** A line for each host. */
export function newsLines(news: ReadonlyMap<HostName, News>, colors: Colors): string[] {
  const width = Math.max(0, ...[...news.keys()].map(host => host.length))
  return [...news].map(([host, one]) => `${host.padEnd(width)}  ${words(one, colors)}`)
}

/** Who deployed what when, the newest first; what one deployment did to many hosts is said once. */
export function whoDeployed(news: ReadonlyMap<HostName, News>, look: Look): string[] {
  const commits = [...news.values()].flatMap(one => (isMoved(one) ? one.commits : []))
  const deployments = new Map<string, HostCommit[]>()
  for (const commit of commits) {
    const key = commit.deployment ?? commit.commit
    deployments.set(key, [...(deployments.get(key) ?? []), commit])
  }
  const told = [...deployments.values()].map(group => {
    const [{ deployment: id, author, date }] = group as [HostCommit]
    return { id, author, date, lines: group.map(({ subject }) => printable(subject)).sort(order) }
  })
  told.sort((a, b) => b.date.getTime() - a.date.getTime())
  const lines = deploymentLines(told.slice(0, MANY), look)
  // To a fresh clone all that ever happened is news.
  return told.length > MANY ? [...lines, '', `… and ${told.length - MANY} more: git log refs/deptool`] : lines
}

/** So many deployments fill a screen or two. */
const MANY = 10

function isMoved(news: News): news is Moved {
  return 'commits' in news
}

function words(news: News, colors: Colors): string {
  switch (news.kind) {
    case 'unchanged':
      return news.at === null ? 'nothing deployed' : `unchanged ${short(news.at)}`
    case 'new':
      return `${colors.green('new')} ${short(news.to)}, ${lately(news)}`
    case 'moved':
      return `${colors.green('moved')} ${short(news.from)}..${short(news.to)}, ${lately(news)}`
    case 'rewound':
      return colors.yellow(
        `rewound ${short(news.from)}...${short(news.to)}: the commit that this repository had recorded is not in the host's history`,
      )
    case 'reprovisioned':
      return colors.yellow(
        `REINSTALLED: the host reports no deployment; the next plan treats it as new (was ${short(news.from)})`,
      )
    case 'failed':
      return colors.red(printable(news.message))
  }
}

function lately({ commits: [newest, ...others] }: Moved): string {
  if (newest === undefined) return 'already in this repository'
  const count = others.length === 0 ? '1 deployment' : `${others.length + 1} deployments, the last`
  return `${count} by ${printable(operatorName(newest.author))}`
}

function short(oid: Oid | null): string {
  return oid === null ? 'nothing' : oid.slice(0, 7)
}
