import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { readConfig } from '../git/config.ts'
import { openRepository } from '../git/git.ts'
import { hostsWithOutcomes, readKnownOutcomes } from '../git/outcomes.ts'
import { page } from '../git/pager.ts'
import { readTrackingRefs } from '../git/refs.ts'
import { namedHosts } from '../planning/named-hosts.ts'
import { chooseHosts } from '../planning/select.ts'
import { logRecord } from '../terminal/json/hosts.ts'
import { logLines } from '../terminal/text/log.ts'

/** `git deploy log`: who deployed what when, and how it ended, as far as this repository knows. */
export async function log(command: CommandOf<'log'>, context: Context): Promise<ExitCode> {
  const { terminal } = context
  const repo = await openRepository(context)
  const [tracking, config] = await Promise.all([readTrackingRefs(repo), readConfig(repo)])
  const told = hostsWithOutcomes(repo)
  const known = [...new Set([...told, ...tracking.keys()])]
  const named = command.hosts.length > 0 ? namedHosts(command.hosts, known, 'show the log of') : known
  const chosen = chooseHosts(named, command.selection)
  const hosts = told.filter(host => chosen.has(host))
  const entries = hosts.flatMap(host => readKnownOutcomes(repo, host).map(record => ({ ...record, host })))
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
