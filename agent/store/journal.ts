/**
 * The journal: what a deployment under way would have to put back, written durably before anything is changed. Its
 * existence is the mark of an unfinished deployment. One JSON value a line: the header, then the prepared steps with
 * what each replaces, then the number of each step as it begins.
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

/** A step with what was there before it. */
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
      /** Those that failed, and that systemd tried again; an older agent took them for running. */
      readonly retried?: readonly UnitName[]
      /** Others that run, and that systemd may stop with them; an older agent did not note them. */
      readonly beside?: readonly UnitName[]
    }
  | {
      readonly kind: 'enablement'
      readonly links: readonly EnablementLink[]
      /** Those that were there for such links. */
      readonly directories: readonly string[]
    }

/** What a path was: absent, a symbolic link, or a file that is kept as `backup/<id>/<path>`. */
export type Was =
  | { readonly kind: 'absent' }
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'file'; readonly backup: string }

export interface Journal {
  readonly header: Header
  /** Empty while the deployment is only being staged. */
  readonly prepared: readonly Prepared[]
  /** The last step that began; -1 where none did. */
  readonly begun: number
}

/** The journal of the deployment under way, in memory and on disk. */
export class JournalWriter implements Journal {
  readonly header: Header
  prepared: readonly Prepared[] = []
  begun = -1
  private readonly machine: Machine
  private readonly writer: Writer

  /** Makes the file: from here on the deployment counts as under way. */
  constructor(machine: Machine, header: Header) {
    this.machine = machine
    this.header = header
    this.writer = machine.files.create(JOURNAL, 0o600)
    this.line(header)
  }

  /** Durable when it returns: the first step may begin. */
  prepare(prepared: readonly Prepared[]): void {
    this.line(prepared)
    this.writer.sync()
    this.machine.files.sync(BASE)
    this.prepared = prepared
  }

  /**
   * Not synced: a killed agent's mark is in the page cache, and after a power cut the boot id differs, by which
   * every step counts as begun.
   */
  begin(index: number): void {
    this.line(index)
    this.begun = index
  }

  /** Removes the journal durably: the deployment has ended. */
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
 * The journal that a predecessor left; undefined where there is none. 'empty': killed while it wrote the header.
 * 'damaged': no killed agent leaves that.
 */
export function readJournal(machine: Machine): Journal | 'empty' | 'damaged' | undefined {
  const raw = machine.files.read(JOURNAL)
  if (raw === undefined) return undefined
  // What is behind the last newline was cut off while it was written: it had not begun to count.
  const whole = decodeUtf8(raw.subarray(0, raw.lastIndexOf(NEWLINE) + 1))
  if (whole === '') return 'empty'
  const [header, prepared = [], ...marks] = (whole ?? '?').split('\n').filter(Boolean).map(parse)
  if (!isHeader(header) || !isPrepared(prepared)) return 'damaged'
  // A mark that cannot be read may have been of any step: all count as begun, as after a power cut.
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

/** Written by ourselves in one synced write, so that it is whole or damaged by something else. */
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
