/** How deployments ended, as far as this repository has been told: a file for each host, one JSON line each. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { appendFile, chmod, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeploymentId } from '../plan/deployment-id.ts'
import { deploymentId, secondOf } from '../plan/deployment-id.ts'
import type { HostName } from '../plan/names.ts'
import { decodeOutcomeRecord } from '../protocol/decode.ts'
import type { LoggedDeployment } from '../protocol/messages.ts'
import { boundReason } from '../protocol/reason.ts'
import type { Repository } from './git.ts'
import { dropMark, setMark } from './marks.ts'
import { hostsIn, ownDirectory } from './own-directory.ts'

/** `refused`: it never began on the host, which therefore knows nothing of it. */
export type Ending = LoggedDeployment['outcome'] | 'refused'

export interface KnownOutcome extends Omit<LoggedDeployment, 'outcome'> {
  readonly outcome: Ending
}

/** The oldest first; empty where nothing is known. Of one deployment the later word counts, and a subject is kept. */
export function readKnownOutcomes(repo: Repository, host: HostName): KnownOutcome[] {
  const known = new Map<DeploymentId, KnownOutcome>()
  const records = [olderIn(repo), directoryOf(repo)].flatMap(directory => readFile(join(directory, host)))
  for (const record of records) {
    const before = known.get(record.id)
    if (isLate(record.outcome, before?.outcome)) continue
    known.set(record.id, { ...record, subject: record.subject ?? before?.subject ?? null })
  }
  return [...known.values()].sort((a, b) => a.at - b.at)
}

/** Of somebody who applied the same saved plan, and was refused because it had been carried out, or was under way. */
function isLate(outcome: string, before: string | undefined): boolean {
  return outcome === 'refused' && before !== undefined && before !== 'unknown'
}

/**
 * The last deployment that began on the host, or may have. What a sync has brought may be older than what was known
 * before it, so that all records count; but only these words of them are looked at, in which no other word can look the
 * same: decoding whole records takes ten times as long, and this is asked for every host.
 */
export function lastBegun(
  repo: Repository,
  host: HostName,
): Pick<KnownOutcome, 'id' | 'outcome'> | undefined {
  const known = new Map<DeploymentId, string>()
  const logs = [olderIn(repo), directoryOf(repo)].map(directory => readText(join(directory, host)))
  for (const [, text = '', outcome = ''] of logs.join('\n').matchAll(LAST_WORDS)) {
    const id = deploymentId(text)
    if (id && !isLate(outcome, known.get(id))) known.set(id, outcome)
  }
  let last: Pick<KnownOutcome, 'id' | 'outcome'> | undefined
  // Ids begin with the second; within one, ours are in their order.
  for (const [id, outcome] of known)
    if (outcome !== 'refused' && (!last || secondOf(id) >= secondOf(last.id)))
      last = { id, outcome: outcome as Ending }
  return last
}

const LAST_WORDS = /"id":"([\w-]+)".*?"outcome":"(\w+)"/g

/** '' where there is none: most hosts of a new clone. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

/** The hosts of which something is known, by name. */
export function hostsWithOutcomes(repo: Repository): HostName[] {
  return hostsIn(directoryOf(repo))
}

/** A file that is longer than this, in bytes, becomes the older one, and the one that was older goes. */
const FILE_MAX = 256 * 1024

/** Adds records. Two processes may do so at once: each appends, and nobody writes anew. */
export async function addOutcomes(
  repo: Repository,
  host: HostName,
  records: readonly KnownOutcome[],
): Promise<void> {
  if (records.length === 0) return
  // Before it is written: whoever is killed in between leaves a mark too many.
  if (records.some(isUnsettled)) await setMark(repo, host)
  const directory = ownDirectory(repo.commonDir, LOG)
  const file = join(directory, host)
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > FILE_MAX)
    await rename(file, join(ownDirectory(repo.commonDir, OLDER), host))
  const isNew = !existsSync(file)
  // A record that a full disk cut short takes no other with it.
  const start = /(?:^|\n)$/.test(readText(file).slice(-1)) ? '' : '\n'
  await appendFile(file, start + records.map(lineOf).join(''))
  if (isNew) await chmod(file, statSync(directory).mode & 0o666)
  if (isUnsettled(lastBegun(repo, host))) return setMark(repo, host)
  await dropMark(repo, host)
  // Looked at again: what another process adds at the same time may need the mark that was dropped.
  if (isUnsettled(lastBegun(repo, host))) await setMark(repo, host)
}

function lineOf(record: KnownOutcome): string {
  return `${JSON.stringify({ ...record, why: boundReason(record.why) })}\n`
}

/** Whether nobody knows how it ended, or not everything went back. */
export function isUnsettled<T extends { readonly outcome: Ending }>(
  one: T | undefined,
): one is T & { readonly outcome: 'unknown' | 'damaged' } {
  return one?.outcome === 'unknown' || one?.outcome === 'damaged'
}

function readFile(file: string): KnownOutcome[] {
  try {
    return readFileSync(file, 'utf8').split('\n').flatMap(parse)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

const LOG = 'log'
const OLDER = 'log-older'

function directoryOf({ commonDir }: Repository): string {
  return join(commonDir, 'deptool', LOG)
}

function olderIn({ commonDir }: Repository): string {
  return join(commonDir, 'deptool', OLDER)
}

/** A line that cannot be read says nothing. */
function parse(line: string): KnownOutcome[] {
  try {
    const value = JSON.parse(line) as { outcome?: unknown; subject?: unknown }
    const refused = value.outcome === 'refused'
    const record = decodeOutcomeRecord(refused ? { ...value, outcome: 'unknown' } : value)
    const subject = typeof value.subject === 'string' ? value.subject : null
    return [{ ...record, outcome: refused ? 'refused' : record.outcome, subject }]
  } catch {
    return []
  }
}
