import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { catchUp } from '../delivery/catch-up.ts'
import { reach } from '../delivery/reach.ts'
import { EXIT, type ExitCode, Fatal } from '../errors.ts'
import type { Heard } from '../news.ts'
import { readClusterHosts } from '../planning/cluster-hosts.ts'
import { heardRecords } from '../terminal/json/hosts.ts'
import { clockNotes } from '../terminal/text/clock.ts'
import { heardLines } from '../terminal/text/news.ts'

/** `git deploy sync`: asks every host what it runs and how that came to be, and moves the refs. */
export async function sync(command: CommandOf<'sync'>, context: Context): Promise<ExitCode> {
  const { terminal } = context
  const { repo, config, cluster, tracking, hosts } = await readClusterHosts(command, context)
  const connect = reach(config, context)
  const heard = await catchUp(hosts, {
    ...{ repo, cluster: cluster.name, tracking, parallel: config.jobs },
    connect: host => connect(host, true),
  })
  const shown = [...heard].filter(([, one]) => !command.changed || isNews(one))
  for (const [host, one] of shown) for (const record of heardRecords(host, one)) context.emit(record)
  const colors = terminal.colors(command.color ?? config.color)
  for (const line of heardLines(new Map(shown), colors)) terminal.say(line)
  const ahead = [...heard].flatMap(([host, { aheadMs }]) =>
    aheadMs === null ? [] : [[host, aheadMs] as const],
  )
  for (const note of clockNotes(new Map(ahead))) terminal.note(note)
  const failed = [...heard].flatMap(([host, { news }]) => (news.kind === 'failed' ? [{ host, ...news }] : []))
  if (failed.length === 0) return EXIT.done
  for (const hint of new Set(failed.flatMap(({ hint }) => hint ?? []))) terminal.note(`hint: ${hint}`)
  const names = failed.map(({ host }) => host).join(', ')
  throw new Fatal(
    `cannot sync ${names}: what this repository knows about ${failed.length === 1 ? 'it' : 'them'} may be out of date`,
  )
}

function isNews({ news, inProgress, ended }: Heard): boolean {
  return news.kind !== 'unchanged' || inProgress !== null || ended.length > 0
}
