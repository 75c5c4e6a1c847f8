/** How deployments ended, as far as this repository has been told: a file for each host, one JSON line each. */

import { readdirSync, readFileSync } from 'node:fs'
import { appendFile, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { type HostName, hostName } from '../plan/names.ts'
import { decodeOutcomeRecord } from '../protocol/decode.ts'
import type { DeploymentId, LoggedDeployment } from '../protocol/messages.ts'
import type { Repository } from './git.ts'

/** `refused`: it never began on the host, which therefore knows nothing of it. */
export type Ending = LoggedDeployment['outcome'] | 'refused'

export interface KnownOutcome extends Omit<LoggedDeployment, 'outcome'> {
  readonly outcome: Ending
}

/** The oldest first; empty where nothing is known. Of one deployment the later word counts, and a subject is kept. */
export function readOutcomes(repo: Repository, host: HostName): KnownOutcome[] {
  const known = new Map<DeploymentId, KnownOutcome>()
  for (const record of readFile(repo, host)) {
    const subject = record.subject ?? known.get(record.id)?.subject ?? null
    known.set(record.id, { ...record, subject })
  }
  return [...known.values()].sort((a, b) => a.at - b.at)
}

/** The deployment to the host that was heard of last. Reads the end of the file, however long it has become. */
export async function lastOutcome(repo: Repository, host: HostName): Promise<KnownOutcome | undefined> {
  const file = await open(fileOf(repo, host)).catch(() => undefined) // most hosts of a new clone have none
  if (file === undefined) return undefined
  try {
    const { size } = await file.stat()
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.alloc(TAIL),
      position: Math.max(0, size - TAIL),
    })
    return buffer.toString('utf8', 0, bytesRead).split('\n').flatMap(parse).at(-1)
  } finally {
    await file.close()
  }
}

/** Longer than any record but those of a failure that says very much. */
const TAIL = 8192

/** The hosts of which something is known, by name. */
export function hostsWithOutcomes(repo: Repository): HostName[] {
  try {
    return readdirSync(directoryOf(repo)).flatMap(name => hostName(name) ?? [])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Adds records. Two processes may do so at once: each appends, and nobody writes anew. */
export async function addOutcomes(
  repo: Repository,
  host: HostName,
  records: readonly KnownOutcome[],
): Promise<void> {
  if (records.length === 0) return
  await mkdir(directoryOf(repo), { recursive: true })
  await appendFile(fileOf(repo, host), records.map(record => `${JSON.stringify(record)}\n`).join(''))
}

function readFile(repo: Repository, host: HostName): KnownOutcome[] {
  try {
    return readFileSync(fileOf(repo, host), 'utf8').split('\n').flatMap(parse)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function directoryOf({ commonDir }: Repository): string {
  return join(commonDir, 'deptool', 'log')
}

function fileOf(repo: Repository, host: HostName): string {
  return join(directoryOf(repo), host)
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
