/** What an operator is told whose plan was out of date. */
import type { Context } from '../context.ts'
import type { HostName } from '../plan/names.ts'
import type { Planned } from '../planning/planned.ts'
import type { Connections } from '../remote/connections.ts'
import type { Ends } from '../rollout/events.ts'
import { heardRecords } from '../terminal/json/hosts.ts'
import type { Colors } from '../terminal/terminal.ts'
import { newsLines, whoDeployed } from '../terminal/text/news.ts'
import { catchUp } from './catch-up.ts'

/** Brings what was missed into the repository and shows who deployed it. Returns the hosts that are known again. */
export async function tellStale(
  { repo, plan, tracking, config }: Planned,
  ends: Ends,
  { connections, colors }: { readonly connections: Connections; readonly colors: Colors },
  { terminal, emit, env }: Context,
): Promise<HostName[]> {
  const stale = [...ends].flatMap(([host, end]) =>
    end.kind === 'refused' && end.refusal.kind === 'stale' ? [host] : [],
  )
  if (stale.length === 0) return []
  const connect = (host: HostName) => connections.take(host)
  const asking = { repo, cluster: plan.cluster, tracking, parallel: config.jobs, connect }
  const heard = await catchUp(stale, asking)
  for (const [host, one] of heard) for (const record of heardRecords(host, one)) emit(record)
  const news = new Map([...heard].map(([host, { news }]) => [host, news]))
  const lines = ['', ...newsLines(news, colors)]
  const who = whoDeployed(news, { colors, timeZone: env['TZ'] })
  if (who.length > 0) lines.push('', ...who)
  for (const line of [...lines, '']) terminal.note(line)
  const failed = [...news.values()].flatMap(one => (one.kind === 'failed' ? [one] : []))
  for (const hint of new Set(failed.flatMap(({ hint }) => hint ?? []))) terminal.note(`hint: ${hint}`)
  return stale.filter(host => news.get(host)?.kind !== 'failed')
}
