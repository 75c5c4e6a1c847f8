/**
 * The journal: what an undo has to restore, durable before anything is changed. Its existence marks an unfinished
 * deployment. Each line is a JSON value: the format, the header, then all steps with what each replaces, then the index of
 * each step as it begins.
 */

import { encodeUtf8 } from '../../src/plan/bytes.ts'
import type { DeploymentId } from '../../src/plan/deployment-id.ts'
import type { Oid, UnitName } from '../../src/plan/names.ts'
import { BASE } from '../../src/plan/places.ts'
import type { Step } from '../../src/plan/steps.ts'
import { FORMATS } from '../../src/protocol/format.ts'
import type { Identity } from '../agent.ts'
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
      /** The directories for such links that were there; an older agent did not note them. */
      readonly directories?: readonly string[]
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
  constructor(machine: Machine, identity: Identity, header: Header) {
    this.machine = machine
    this.header = header
    this.writer = machine.files.create(JOURNAL, 0o600)
    this.lines(formatLine(identity, header), header)
  }

  /** Durable when it returns, so that the first step may begin. */
  prepare(prepared: readonly Prepared[]): void {
    this.lines(prepared)
    this.writer.sync()
    this.machine.files.sync(BASE)
    this.prepared = prepared
  }

  /**
   * Not synced: after a kill the line is in the page cache, and after a power cut the boot id is different, and every
   * step counts as begun.
   */
  begin(index: number): void {
    this.lines(index)
    this.begun = index
  }

  /** Durably: the deployment has ended. */
  finish(): void {
    this.writer.close()
    removeJournal(this.machine)
  }

  private lines(...values: readonly (FormatLine | Header | readonly Prepared[] | number)[]): void {
    this.writer.write(encodeUtf8(values.map(value => `${JSON.stringify(value)}\n`).join('')))
  }
}

export function removeJournal({ files }: Machine): void {
  files.unlink(JOURNAL)
  files.sync(BASE)
}

/**
 * The first line, by which every later build can say whose journal it is. Builds before it take this line for the
 * header, and refuse it as long as it has no 'operator'.
 */
export interface FormatLine extends Identity {
  readonly format: number
  readonly deployment: DeploymentId
}

function formatLine({ version, build }: Identity, { id }: Header): FormatLine {
  return { format: FORMATS.journal, deployment: id, version, build }
}
