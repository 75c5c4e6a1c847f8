/** Records of the commands that ask hosts, or tell about them. */
import type { News } from '../news.ts'
import type { HostName } from '../plan/names.ts'
import type { JsonRecord } from './json.ts'
import type { LogEntry } from './log.ts'
import type { Pinged } from './ping.ts'

export function logRecord(entry: LogEntry): JsonRecord {
  const { host, id, outcome, why, operator, from, to, subject, at, ms } = entry
  const began = new Date(at).toISOString()
  return { type: 'log', host, deployment: id, outcome, why, operator, from, to, subject, at: began, ms }
}

export function pingRecord(pinged: Pinged): JsonRecord {
  if (pinged.kind === 'failed') return { type: 'ping', ...pinged }
  const { host, kind, user, version, installed, ms, current, tracked } = pinged
  return { type: 'ping', host, kind, user, version, installed, ms: Math.round(ms), current, tracked }
}

export function syncRecord(host: HostName, news: News): JsonRecord {
  if (!('commits' in news)) return { type: 'sync', host, ...news }
  const { kind, from, to } = news
  const commits = news.commits.map(({ commit, deployment, source, author, date, subject }) => {
    return { commit, deployment: deployment || null, source, author, at: date.toISOString(), subject }
  })
  return { type: 'sync', host, kind, from, to, commits }
}
