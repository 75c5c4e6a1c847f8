/** Records of the commands that ask hosts, or tell about them. */
import { type Inspected, isSound } from '../../inspected.ts'
import type { Heard, News } from '../../news.ts'
import type { HostName, Oid } from '../../plan/names.ts'
import type { InProgress } from '../../protocol/messages.ts'
import { findingText } from '../text/drift.ts'
import type { LogEntry } from '../text/log.ts'
import type { Pinged } from '../text/ping.ts'
import type { JsonInProgress, JsonRecord } from './records.ts'

export function logRecord(entry: LogEntry): JsonRecord {
  const { host, id, outcome, why, operator, from, to, subject, source, at, ms } = entry
  const began = new Date(at).toISOString()
  return {
    type: 'log',
    host,
    deployment: id,
    outcome,
    why,
    operator,
    from,
    to,
    subject,
    source,
    at: began,
    ms,
  }
}

export function pingRecord(pinged: Pinged): JsonRecord {
  if (pinged.kind === 'failed') return { type: 'ping', ...pinged }
  const { inProgress, ...answered } = pinged
  const ms = Math.round(pinged.rtt.median)
  return { type: 'ping', ...answered, ms, pending: inProgress && inProgressJson(inProgress) }
}

export function heardRecords(host: HostName, { news, inProgress, ended }: Heard): JsonRecord[] {
  const learnt = ended.map(({ id, outcome, why, ms }): JsonRecord => {
    return { type: 'ended', host, deployment: id, outcome, why, ms }
  })
  const under = inProgress ? [{ type: 'pending', host, ...inProgressJson(inProgress) } as const] : []
  return [syncRecord(host, news), ...under, ...learnt]
}

function syncRecord(host: HostName, news: News): JsonRecord {
  if (!('commits' in news)) return { type: 'sync', host, ...news }
  const { kind, from, to } = news
  const commits = news.commits.map(({ commit, deployment, source, author, date, subject }) => {
    return { commit, deployment, source, author, at: date.toISOString(), subject }
  })
  return { type: 'sync', host, kind, from, to, commits }
}

/** `recorded` is the commit that this repository knows to be deployed there. */
export function verifyRecord(one: Inspected, recorded: Oid): JsonRecord {
  const { host } = one
  if (one.kind === 'unreachable')
    return { type: 'verify', host, kind: 'failed', message: one.message, hint: one.hint }
  const { hello, verified } = one
  const { pending, last, findings } = verified
  return {
    type: 'verify',
    host,
    kind: 'answered',
    sound: isSound(one, recorded),
    current: hello.current,
    tracked: recorded,
    findings: findings.map(finding => ({ ...finding, message: findingText(finding) })),
    pending: pending && inProgressJson(pending),
    recovered: hello.recovered && { deployment: hello.recovered.id, outcome: hello.recovered.outcome },
    last: last && { deployment: last.id, outcome: last.outcome, why: last.why },
  }
}

export function inProgressJson({ holder, since, id, msLeft }: InProgress): JsonInProgress {
  return { holder, since: new Date(since).toISOString(), deployment: id, msLeft }
}
