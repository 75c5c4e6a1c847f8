/**
 * What a plan has to know of each host's log, so that it need not read them: deployments with an open end. A mark says
 * how long the log was that it was made of, and is trusted only while the log is that long. Builds before the formats take
 * any mark for a reason to read the log, and remove it.
 */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DeploymentId } from '../plan/deployment-id.ts'
import { type HostName, type Oid, oid } from '../plan/names.ts'
import { id } from '../protocol/decode.ts'
import { choice, type Decoder, integer, list, name, nullable, record } from '../protocol/decoders.ts'
import { FORMATS, isReadable } from '../protocol/format.ts'
import type { Repository } from './git.ts'
import { ownDirectory } from './own-directory.ts'

/** A deployment of which nobody knows how it ended, or that did not wholly go back. */
export interface OpenEnd {
  readonly id: DeploymentId
  readonly outcome: 'unknown' | 'damaged'
  /** What the host ran when it began. */
  readonly from: Oid | null
}

/** Undefined where there is none that can be trusted. */
export function readMark(repo: Repository, host: HostName, sizes: Sizes): readonly OpenEnd[] | undefined {
  try {
    const text = readFileSync(`${repo.commonDir}/deptool/${MARKS}/${host}`, 'utf8')
    // Nearly all are like this, and a plan reads one for every host.
    if (text === encode(sizes, [])) return []
    const value: unknown = JSON.parse(text)
    const mark = isReadable('marks', value) ? decode(value, 'mark') : undefined
    return mark && `${mark.sizes}` === `${sizes}` ? mark.open : undefined
  } catch {
    // Missing, or of another build: the log is read.
    return undefined
  }
}

export function writeMark(repo: Repository, host: HostName, sizes: Sizes, open: readonly OpenEnd[]): void {
  const directory = ownDirectory(repo.commonDir, MARKS)
  // Of whoever writes; no host's name starts with a dot.
  const draft = join(directory, `.draft-${Buffer.from(repo.random(8)).toString('hex')}`)
  try {
    writeFileSync(draft, encode(sizes, open), { flag: 'wx' })
    renameSync(draft, join(directory, host))
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

/** How long the older and the newer file of a log are, in bytes. */
type Sizes = readonly number[]

export function sizesOf(files: readonly string[]): Sizes {
  return files.map(file => statSync(file, { throwIfNoEntry: false })?.size ?? 0)
}

interface Mark {
  readonly format: number
  readonly sizes: Sizes
  readonly open: readonly OpenEnd[]
}

function encode(sizes: Sizes, open: readonly OpenEnd[]): string {
  const mark: Mark = { format: FORMATS.marks, sizes, open }
  return `${JSON.stringify(mark)}\n`
}

const decode: Decoder<Mark> = record<Mark>({
  format: integer,
  sizes: list(integer),
  open: list(
    record<OpenEnd>({
      id,
      outcome: choice<OpenEnd['outcome']>(['unknown', 'damaged']),
      from: nullable(name<Oid>(oid, 'an object name')),
    }),
  ),
})

/** By the name that builds before the formats look for. */
const MARKS = 'unsettled'
