/**
 * What --json writes: one record a line. This is the one place that says which there are and what is in them;
 * docs/json.schema.json says the same to programs, and the tests compare the two.
 *
 * Within one schema version, records and fields are only ever added.
 */
import type { Finding } from '../../plan/drift.ts'
import type { AppPlan, LeftOut, Unsettled } from '../../plan/plan.ts'
import type { TakenBack } from '../../plan/taken-back.ts'
import type { Adopted, Failure, Obstacle, Outcome } from '../../protocol/messages.ts'
import type { LogSource } from '../text/log.ts'
import type { PlanSource } from '../text/plan.ts'

const SCHEMA = 'git-deploy/1'

export type JsonRecord =
  | {
      readonly type: 'plan'
      readonly cluster: string
      readonly source: PlanSource
      /** How many hosts the plan looked at, and how many of them change: so many 'host' records follow. */
      readonly hosts: number
      readonly changed: number
      readonly vanished: readonly string[]
      /** Hosts that are tracked no more once the plan holds. */
      readonly leaving: readonly string[]
      readonly leftOut: LeftOut | null
      readonly unsettled: readonly Unsettled[]
      readonly takenBack: readonly TakenBack[]
      readonly saved: { readonly id: string; readonly at: string; readonly by: string | null } | null
    }
  | {
      readonly type: 'host'
      readonly host: string
      readonly from: string | null
      readonly fromTree: string | null
      readonly toTree: string
      readonly digest: string
      readonly apps: readonly AppPlan[]
      readonly reconnect: readonly string[]
      readonly steps: readonly JsonStep[]
    }
  /** `plan -o` has written a file. */
  | { readonly type: 'saved'; readonly file: string; readonly id: string; readonly hosts: number }
  | {
      readonly type: 'begin'
      readonly deployment: string
      readonly cluster: string
      readonly operator: string
      readonly hosts: readonly string[]
    }
  | ({ readonly type: 'event'; readonly host: string; readonly ms: number } & JsonEvent)
  | {
      readonly type: 'end'
      readonly deployment: string
      readonly cluster: string
      readonly outcome: 'done' | 'failed' | 'partial' | 'unknown' | 'unrecorded'
      readonly ms: number
      /** The kind of the last event of each host. */
      readonly hosts: { readonly [host: string]: JsonEnd['kind'] }
    }
  | {
      readonly type: 'status'
      readonly cluster: string
      readonly host: string
      readonly state: 'current' | 'pending' | 'new' | 'vanished'
      /** How many apps would change. */
      readonly apps: number
      readonly commit: string | null
      readonly source: string | null
      readonly at: string | null
      readonly by: string | null
      readonly deployment: string | null
      /** A later deployment that nobody knows the end of. */
      readonly unheard: string | null
      /** A later deployment that was undone, and did not wholly go back. */
      readonly damaged: string | null
    }
  /** A file that `diff` would show. */
  | {
      readonly type: 'file'
      readonly host: string
      readonly app: string
      readonly path: string
      readonly action: 'add' | 'modify' | 'delete'
    }
  /** What is wrong with the config tree, or with a saved plan. */
  | {
      readonly type: 'problem'
      readonly severity: 'error' | 'note'
      readonly host: string | null
      readonly file: string | null
      readonly line: number | null
      readonly column: number | null
      readonly message: string
      readonly hint: string | null
    }
  | {
      readonly type: 'check'
      readonly cluster: string
      readonly hosts: number
      readonly apps: number
      readonly errors: number
      readonly notes: number
    }
  /** How a deployment ended on a host, as far as this repository has been told. */
  | {
      readonly type: 'log'
      readonly host: string
      readonly deployment: string
      readonly outcome: Outcome | 'refused'
      readonly why: string
      readonly operator: string
      readonly from: string | null
      readonly to: string
      readonly subject: string | null
      /** The commit that the files came from. */
      readonly source: LogSource | null
      readonly at: string
      readonly ms: number
    }
  | ({ readonly type: 'ping'; readonly host: string } & (
      | {
          readonly kind: 'answered'
          readonly user: string
          readonly version: string
          readonly installed: boolean
          readonly ms: number
          readonly rtt: { readonly min: number; readonly median: number; readonly p95: number }
          /** By how much this clock is ahead of the host's. */
          readonly aheadMs: number
          readonly current: string | null
          readonly tracked: string | null
          /** The deployment under way there. */
          readonly pending: JsonInProgress | null
        }
      | JsonFailed
    ))
  /** Whether a host is as it was deployed: `sound` says so, `findings` what differs. */
  | ({ readonly type: 'verify'; readonly host: string } & (
      | {
          readonly kind: 'answered'
          readonly sound: boolean
          readonly current: string | null
          readonly tracked: string
          readonly findings: readonly JsonFinding[]
          readonly pending: JsonInProgress | null
          /** A deployment that was found cut off, and finished first. */
          readonly recovered: { readonly deployment: string; readonly outcome: Outcome } | null
          readonly last: {
            readonly deployment: string
            readonly outcome: Outcome
            readonly why: string
          } | null
        }
      | JsonFailed
    ))
  | ({ readonly type: 'sync'; readonly host: string } & (
      | { readonly kind: 'unchanged'; readonly at: string | null }
      | {
          readonly kind: 'new' | 'moved' | 'rewound'
          readonly from: string | null
          readonly to: string
          /** What was not known here, the newest first. */
          readonly commits: readonly JsonCommit[]
        }
      | { readonly kind: 'reprovisioned'; readonly from: string }
      | JsonFailed
    ))
  /** With 'sync': the deployment under way on a host. */
  | ({ readonly type: 'pending'; readonly host: string } & JsonInProgress)
  /** With 'sync': how a deployment ended of which this repository did not know it. */
  | {
      readonly type: 'ended'
      readonly host: string
      readonly deployment: string
      readonly outcome: Outcome | 'refused'
      readonly why: string
      readonly ms: number
    }
  | { readonly type: 'forgot'; readonly host: string; readonly commit: string | null }
  /** How a hook is in place, in words. */
  | { readonly type: 'hook'; readonly name: string; readonly what: string }
  | { readonly type: 'init'; readonly cluster: string; readonly created: boolean }
  | { readonly type: 'version'; readonly version: string }
  /** Why the command ends with another exit code than 0. */
  | {
      readonly type: 'error'
      readonly message: string
      readonly hint: string | null
      readonly exitCode: number
    }

interface JsonFailed {
  readonly kind: 'failed'
  readonly message: string
  readonly hint: string | null
}

/** With a sentence for people. */
type JsonFinding = Finding & { readonly message: string }

interface JsonCommit {
  readonly commit: string
  readonly deployment: string | null
  readonly source: string
  readonly author: string
  readonly at: string
  readonly subject: string
}

export interface JsonStep {
  readonly kind: string
  readonly [field: string]: string | number | object
}

export interface JsonAttributes {
  readonly path: string
  readonly mode: string | null
  readonly owner: string | null
  readonly group: string | null
}

export type JsonEvent =
  | {
      readonly kind:
        | 'connecting'
        | 'installing'
        | 'connected'
        | 'installed'
        | 'proving'
        | 'waiting'
        | 'confirming'
        | 'withdrawing'
    }
  | ({ readonly kind: 'queued' } & JsonInProgress)
  | { readonly kind: 'unproven'; readonly why: string }
  | { readonly kind: 'recovered'; readonly deployment: string; readonly outcome: Outcome }
  | { readonly kind: 'staged'; readonly adopted: readonly Adopted[]; readonly notes: readonly string[] }
  | { readonly kind: 'wave'; readonly wave: number; readonly waves: number }
  | { readonly kind: 'step'; readonly step: JsonStep }
  | { readonly kind: 'restarted'; readonly units: readonly string[] }
  | { readonly kind: 'watching'; readonly units: readonly string[]; readonly forMs: number }
  | { readonly kind: 'reconnecting'; readonly why: string }
  | JsonEnd

export type JsonEnd =
  | { readonly kind: 'held' }
  | { readonly kind: 'undone'; readonly failure: Failure; readonly leftovers: readonly string[] }
  | { readonly kind: 'refused'; readonly refusal: JsonRefusal }
  | { readonly kind: 'unreachable'; readonly message: string; readonly hint: string | null }
  | { readonly kind: 'withdrawn' }
  | { readonly kind: 'unknown'; readonly why: string }

/** Another deployment that has the lock. */
export interface JsonInProgress {
  readonly holder: string
  readonly since: string
  readonly deployment: string
  /** How long it still waits for its confirmation; null while it does not. */
  readonly msLeft: number | null
}

export type JsonRefusal =
  | { readonly kind: 'hostname'; readonly found: string }
  | ({ readonly kind: 'busy' } & JsonInProgress)
  | { readonly kind: 'stale'; readonly current: string | null }
  | { readonly kind: 'spent'; readonly outcome: Outcome; readonly why: string }
  | { readonly kind: 'plan' }
  | { readonly kind: 'preflight'; readonly problems: readonly Obstacle[] }
  | { readonly kind: 'error'; readonly message: string }

/** The record as a line without its end. Whatever could drive a terminal or hide text is escaped. */
export function encodeRecord(record: JsonRecord): string {
  return JSON.stringify({ schema: SCHEMA, ...record }).replace(
    UNSAFE,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

const UNSAFE = /[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g
