/** The log of how deployments ended on this host: a JSON line for each, the newest last. */

import { decodeUtf8, encodeUtf8 } from '../../src/plan/bytes.ts'
import { type DeploymentId, deploymentId } from '../../src/plan/deployment-id.ts'
import { BASE } from '../../src/plan/places.ts'
import { decodeOutcomeRecord } from '../../src/protocol/decode.ts'
import { FORMATS, isReadable } from '../../src/protocol/format.ts'
import type { OutcomeRecord } from '../../src/protocol/messages.ts'
import { appendLine, writeDurably } from '../host/files.ts'
import type { Machine } from '../host/machine.ts'
import { LOG } from '../host/paths.ts'
import { Foreign } from './foreign.ts'

/** In bytes: a longer log is cut to its newer half. */
const LOG_MAX = 256 * 1024

/** Durable when it returns. A recovery that is repeated does not add a second record. */
export function recordOutcome({ files }: Machine, record: OutcomeRecord): void {
  if (findLine(files, record.id)) return
  const known = files.stat(LOG)
  if (known && known.size > LOG_MAX) {
    const lines = readLines(files)
    writeDurably(files, LOG, `${lines.slice(lines.length >> 1).join('\n')}\n`, 0o600)
  }
  // findOutcome expects the id first.
  const { id, ...rest } = record
  appendLine(files, LOG, JSON.stringify({ id, ...rest, format: FORMATS.log }), 0o600)
  files.sync(LOG)
  // The journal is removed next, and the log's name has to be on disk before.
  if (!known) files.sync(BASE)
}

/** undefined if the deployment has not ended here. Throws Foreign if a newer build wrote how it ended. */
export function findOutcome(files: Machine['files'], id: DeploymentId): OutcomeRecord | undefined {
  const line = findLine(files, id)
  const [found] = line === undefined ? [] : parse(line)
  if (line !== undefined && found === undefined)
    throw new Foreign(
      `deployment ${id} has ended on this host, but only a newer version of git-deploy can read how`,
      "run 'git deploy sync' with that version",
    )
  return found
}

/**
 * undefined if there is none, or a power cut has left half of it. Each deployment calls this twice, so it searches the
 * bytes: decoding a whole log takes QuickJS a tenth of a second.
 */
function findLine(files: Machine['files'], id: DeploymentId): string | undefined {
  const raw = files.read(LOG) ?? new Uint8Array()
  const beginning = encodeUtf8(`{"id":"${id}"`)
  for (let at = 0, end = 0; at < raw.length; at = end + 1) {
    const next = raw.indexOf(NEWLINE, at)
    end = next < 0 ? raw.length : next
    if (!beginning.every((byte, i) => raw[at + i] === byte)) continue
    const line = decodeUtf8(raw.subarray(at, end)) ?? ''
    if (isJson(line)) return line
  }
  return undefined
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line)
    return true
  } catch {
    return false
  }
}

const NEWLINE = 10

interface Outcomes {
  /** The oldest first. */
  readonly outcomes: readonly OutcomeRecord[]
  /** Those in words of a newer build. */
  readonly unread: readonly DeploymentId[]
}

export function readOutcomes(files: Machine['files']): Outcomes {
  const lines = readLines(files).map(line => ({ line, read: parse(line) }))
  return {
    outcomes: lines.flatMap(({ read }) => read),
    unread: lines.flatMap(({ line, read }) => (read.length === 0 ? idIn(line) : [])),
  }
}

function idIn(line: string): DeploymentId[] {
  const [, text = ''] = /^\{"id":"([^"]*)"/.exec(line) ?? []
  const id = isJson(line) ? deploymentId(text) : undefined
  return id === undefined ? [] : [id]
}

/** undefined before the first deployment. */
export function lastOutcome(files: Machine['files']): OutcomeRecord | undefined {
  return readLines(files).flatMap(parse).pop()
}

function readLines(files: Machine['files']): string[] {
  const raw = files.read(LOG)
  if (raw === undefined) return []
  // If a line is not UTF-8, the others can still be read.
  const text = decodeUtf8(raw) ?? Array.from(raw, byte => String.fromCharCode(byte)).join('')
  return text.split('\n').filter(line => line !== '')
}

/** Ignores lines that a power cut, or somebody with an editor, has damaged, and those of newer builds. */
function parse(line: string): OutcomeRecord[] {
  try {
    const value: unknown = JSON.parse(line)
    return isReadable('log', value) ? [decodeOutcomeRecord(value)] : []
  } catch {
    return []
  }
}
