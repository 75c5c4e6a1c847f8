/**
 * The journal: what an undo has to restore, durable before anything is changed. Its existence marks an unfinished
 * deployment. Each line is a JSON value: the header, then all steps with what each replaces, then the index of each step
 * as it begins.
 */

import { decodeUtf8, encodeUtf8 } from '../../src/plan/bytes.ts'
import { type DeploymentId, deploymentId } from '../../src/plan/deployment-id.ts'
import { type Oid, oid, type UnitName } from '../../src/plan/names.ts'
import { BASE } from '../../src/plan/places.ts'
import type { Step } from '../../src/plan/steps.ts'
import type { Machine, Writer } from '../host/machine.ts'
import { JOURNAL } from '../host/paths.ts'
import type { EnablementLink } from '../systemd/enablement-links.ts'

export interface Header {
  readonly id: DeploymentId
  readonly operator: string
  readonly from: Oid | null
  readonly to: Oid
  /** Milliseconds since 1970. */
  readonly started: number
  readonly bootId: string
}

export interface Prepared {
  readonly step: Step
  readonly before: Before
}

export type Before =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'app'; readonly current: string | null; readonly previous: string | null }
  | { readonly kind: 'path'; readonly was: Was; readonly madeDirectories: readonly string[] }
  | {
      readonly kind: 'units'
      readonly running: readonly UnitName[]
      /** Failed units that systemd was about to start again. Older agents listed them as running. */
      readonly retried?: readonly UnitName[]
      /** Other running units, which systemd may stop along with these. Older agents did not list them. */
      readonly beside?: readonly UnitName[]
    }
  | {
      readonly kind: 'enablement'
      readonly links: readonly EnablementLink[]
      /** The directories for such links that were there. */
      readonly directories: readonly string[]
    }

/** What was at a path. */
export type Was =
  | { readonly kind: 'absent' }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'file'; readonly backup: string }

export interface Journal {
  readonly header: Header
  /** Empty before activation. */
  readonly prepared: readonly Prepared[]
  /** The last step that began; -1 if none did. */
  readonly begun: number
}

export class JournalWriter implements Journal {
  readonly header: Header
  prepared: readonly Prepared[] = []
  begun = -1
  private readonly machine: Machine
  private readonly writer: Writer

  /** Creates the file: from now on a deployment is in progress. */
  constructor(machine: Machine, header: Header) {
    this.machine = machine
    this.header = header
    this.writer = machine.files.create(JOURNAL, 0o600)
    this.line(header)
  }

  /** Durable when it returns, so that the first step may begin. */
  prepare(prepared: readonly Prepared[]): void {
    this.line(prepared)
    this.writer.sync()
    this.machine.files.sync(BASE)
    this.prepared = prepared
  }

  /**
   * Not synced: after a kill the line is in the page cache, and after a power cut the boot id is different, and every
   * step counts as begun.
   */
  begin(index: number): void {
    this.line(index)
    this.begun = index
  }

  /** Durably: the deployment has ended. */
  finish(): void {
    this.writer.close()
    removeJournal(this.machine)
  }

  private line(value: Header | readonly Prepared[] | number): void {
    this.writer.write(encodeUtf8(`${JSON.stringify(value)}\n`))
  }
}

export function removeJournal({ files }: Machine): void {
  files.unlink(JOURNAL)
  files.sync(BASE)
}

/**
 * The journal that a killed agent has left. 'empty': it was killed while it wrote the header. 'damaged': something else
 * has changed the file.
 */
export function readJournal(machine: Machine): Journal | 'empty' | 'damaged' | undefined {
  const raw = machine.files.read(JOURNAL)
  if (raw === undefined) return undefined
  // What follows the last newline was cut off while it was written, and does not count.
  const whole = decodeUtf8(raw.subarray(0, raw.lastIndexOf(NEWLINE) + 1))
  if (whole === '') return 'empty'
  const [header, prepared = [], ...marks] = (whole ?? '?').split('\n').filter(Boolean).map(parse)
  if (!isHeader(header) || !isPrepared(prepared)) return 'damaged'
  // An index that cannot be read may be any: all steps count as begun, as after a power cut.
  const known = header.bootId === machine.bootId() && marks.every(Number.isSafeInteger)
  return { header, prepared, begun: known ? Math.max(-1, ...(marks as number[])) : prepared.length - 1 }
}

function isHeader(value: unknown): value is Header {
  const { id, to, operator, bootId } = (value ?? {}) as Partial<Header>
  return (
    typeof operator === 'string' &&
    typeof bootId === 'string' &&
    deploymentId(`${id}`) !== undefined &&
    oid(`${to}`) !== undefined
  )
}

const NEWLINE = 10

/** It was written in one synced write, so a look at each step's beginning is enough. */
function isPrepared(value: unknown): value is readonly Prepared[] {
  return (
    Array.isArray(value) &&
    value.every(
      ({ step, before }: Partial<Prepared>) =>
        typeof step?.kind === 'string' && typeof before?.kind === 'string',
    )
  )
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
