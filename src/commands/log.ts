import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { readConfig } from '../git/config.ts'
import { openRepository, type Repository } from '../git/git.ts'
import { readHostCommits } from '../git/host-commits.ts'
import { hostsWithOutcomes, type KnownOutcome, readKnownOutcomes } from '../git/outcomes.ts'
import { page } from '../git/pager.ts'
import { readTrackingRefs } from '../git/refs.ts'
import type { DeploymentId } from '../plan/deployment-id.ts'
import { type HostName, oid } from '../plan/names.ts'
import { hostsOrIds, namedHosts } from '../planning/named-hosts.ts'
import { chooseHosts } from '../planning/select.ts'
import { logRecord } from '../terminal/json/hosts.ts'
import { type LogEntry, type LogSource, logLines, newest } from '../terminal/text/log.ts'

/** `git deploy log`: who deployed what when, and how it ended, as far as this repository knows. */
export async function log(command: CommandOf<'log'>, context: Context): Promise<ExitCode> {
  const { terminal } = context
  const repo = await openRepository(context)
  const [tracking, config] = await Promise.all([readTrackingRefs(repo), readConfig(repo)])
  const told = hostsWithOutcomes(repo)
  const known = [...new Set([...told, ...tracking.keys()])]
  const all = told.flatMap(host => readKnownOutcomes(repo, host).map(record => ({ ...record, host })))
  const { named, ids } = hostsOrIds(command.hosts, known, {
    hostsOf: id => all.flatMap(one => (one.id === id ? one.host : [])),
    verb: 'show',
    why: 'this repository does not know it',
  })
  const hosts = named.length > 0 ? namedHosts(named, known, 'show the log of') : ids.length > 0 ? [] : known
  const chosen = chooseHosts([...new Set([...hosts, ...hostsWith(ids, all)])], command.selection)
  const meant = all.filter(({ host, id }) => chosen.has(host) && (hosts.includes(host) || ids.includes(id)))
  const entries = await withSources(repo, newest(meant, command.count))
  for (const entry of entries) context.emit(logRecord(entry))
  const colors = terminal.colors(command.color ?? config.color)
  const lines = logLines(entries, { colors, timeZone: context.env['TZ'] })
  if (lines.length === 0) {
    terminal.note('this repository has not recorded a deployment')
    terminal.note("hint: run 'git deploy sync' to ask the hosts")
    return EXIT.done
  }
  const text = lines.join('\n')
  if (context.json || !(terminal.isTerminal && (await page(repo, `${text}\n`)))) terminal.out(text)
  return EXIT.done
}

type Ended = KnownOutcome & Pick<LogEntry, 'host'>

function hostsWith(ids: readonly DeploymentId[], all: readonly Ended[]): HostName[] {
  return all.flatMap(({ id, host }) => (ids.includes(id) ? host : []))
}

/** Two processes for all: the hosts' commits name their sources, which have subjects. */
async function withSources(repo: Repository, ended: readonly Ended[]): Promise<LogEntry[]> {
  const commits = await readHostCommits(repo, [...new Set(ended.map(({ to }) => to))])
  const sources = new Map([...commits].map(([commit, { source }]) => [commit, source.split('+')]))
  const named = [...sources.values()].flatMap(([name = '']) => oid(name) ?? [])
  const said = await readHostCommits(repo, [...new Set(named)])
  return ended.map(one => {
    const [name = '', dirty] = sources.get(one.to) ?? []
    const commit = oid(name)
    const source: LogSource | null = commit
      ? { commit, dirty: dirty !== undefined, subject: said.get(commit)?.subject ?? null }
      : null
    return { ...one, source }
  })
}
