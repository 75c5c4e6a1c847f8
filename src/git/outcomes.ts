/** How deployments ended, as far as this repository has been told: a file for each host, one JSON line each. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { appendFile, chmod, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { type DeploymentId, deploymentId } from '../plan/deployment-id.ts'
import { type HostName, type Oid, oid } from '../plan/names.ts'
import { decodeOutcomeRecord } from '../protocol/decode.ts'
import { FORMATS, isReadable } from '../protocol/format.ts'
import type { LoggedDeployment } from '../protocol/messages.ts'
import { boundReason } from '../protocol/reason.ts'
import type { Repository } from './git.ts'
import { type OpenEnd, readMark, sizesOf, writeMark } from './marks.ts'
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
 * Deployments with an open end, in the order in which this repository heard of them, but for those after which the host
 * went on from where it was. What a sync has brought may be older than what was known before it, so that all records
 * count; but only these words of them are looked at, in which no other word can look the same: decoding whole records
 * takes ten times as long, and this is asked for every host.
 */
export function openEnds(repo: Repository, host: HostName): readonly OpenEnd[] {
  // No join(): for 200 hosts it takes longer than all that is read of them.
  const files = [olderIn(repo), directoryOf(repo)].map(directory => `${directory}/${host}`)
  const marked = readMark(repo, host, sizesOf(files))
  if (marked) return marked
  const logs = files.map(readText)
  const open = findOpenEnds(logs.join('\n'))
  try {
    const sizes = logs.map(log => log.length)
    writeMark(repo, host, sizes, open)
  } catch {
    // Somebody who may only read the repository can plan all the same; it takes longer.
  }
  return open
}

function findOpenEnds(log: string): OpenEnd[] {
  const known = new Map<DeploymentId, { readonly outcome: string; readonly from: Oid | null }>()
  for (const [, text = '', from = '', outcome = '', format = '0'] of log.matchAll(LAST_WORDS)) {
    const id = deploymentId(text)
    if (!isReadable('log', { format: Number(format) })) continue
    if (id && !isLate(outcome, known.get(id)?.outcome)) known.set(id, { outcome, from: oid(from) ?? null })
  }
  const open = new Map<DeploymentId, OpenEnd>()
  for (const [id, { outcome, from }] of known) {
    if (outcome === 'held') for (const one of open.values()) if (one.from === from) open.delete(one.id)
    if (outcome === 'unknown' || outcome === 'damaged') open.set(id, { id, outcome, from })
  }
  return [...open.values()]
}

const LAST_WORDS = /"id":"([\w-]+)","from":(?:null|"([0-9a-f]+)").*?"outcome":"(\w+)"(?:.*,"format":(\d+))?/g

/** '' where there is none: most hosts of a new clone. */
function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

/** When the deployment began that made the commit hold, by the host's clock: milliseconds since 1970, if it is known. */
export function heldSince(repo: Repository, host: HostName, commit: Oid): number | undefined {
  const logs = [directoryOf(repo), olderIn(repo)].map(directory => readText(join(directory, host)))
  const lines = logs.flatMap(log => log.split('\n')).filter(line => line.includes(`"to":"${commit}"`))
  return lines.flatMap(parse).find(({ to, outcome }) => to === commit && outcome === 'held')?.at
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
  const directory = ownDirectory(repo.commonDir, LOG)
  const file = join(directory, host)
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > FILE_MAX)
    await rename(file, join(ownDirectory(repo.commonDir, OLDER), host))
  const isNew = !existsSync(file)
  // A record that a full disk cut short takes no other with it.
  const start = /(?:^|\n)$/.test(readText(file).slice(-1)) ? '' : '\n'
  await appendFile(file, start + records.map(lineOf).join(''))
  if (isNew) await chmod(file, statSync(directory).mode & 0o666)
  // Whoever is killed before this leaves a mark that is not trusted.
  openEnds(repo, host)
}

function lineOf(record: KnownOutcome): string {
  return `${JSON.stringify({ ...record, why: boundReason(record.why), format: FORMATS.log })}\n`
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
  return `${commonDir}/deptool/${LOG}`
}

function olderIn({ commonDir }: Repository): string {
  return `${commonDir}/deptool/${OLDER}`
}

/** A line that cannot be read, or of a newer build, says nothing; it stays where it is. */
function parse(line: string): KnownOutcome[] {
  try {
    const value = JSON.parse(line) as { outcome?: unknown; subject?: unknown }
    if (!isReadable('log', value)) return []
    const refused = value.outcome === 'refused'
    const record = decodeOutcomeRecord(refused ? { ...value, outcome: 'unknown' } : value)
    const subject = typeof value.subject === 'string' ? value.subject : null
    return [{ ...record, outcome: refused ? 'refused' : record.outcome, subject }]
  } catch {
    return []
  }
}
