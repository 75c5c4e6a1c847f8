/**
 * What the two ends say to each other. One session is one agent process; docs/protocol.md shows it as a conversation.
 * Each message is decoded with checks (decode.ts) before anything looks at it.
 */
import type { DeploymentId } from '../plan/deployment-id.ts'
import type { Finding, Repair } from '../plan/drift.ts'
import type { HostName, HostPath, Oid, UnitName } from '../plan/names.ts'
import type { Step } from '../plan/steps.ts'

export type Request =
  /** Opens a deployment; its objects and 'stage' follow in the same flight. */
  | Deploy
  | { readonly type: 'objects'; readonly objects: readonly ObjectChunk[] }
  /** All objects were sent: stage. Answered by 'staged' or 'refused'. */
  | { readonly type: 'stage' }
  /** Answered by 'step' messages, then 'settled' or 'undone'. */
  | { readonly type: 'activate' }
  /** Keep the deployment. Also in a session of its own; answered by 'outcome'. */
  | { readonly type: 'confirm'; readonly id: DeploymentId }
  /** Roll back. Also in a session of its own; answered by 'outcome'. */
  | { readonly type: 'undo'; readonly id: DeploymentId; readonly why: string }
  /** After 'settled': other hosts have not settled, so the time for 'confirm' starts again. Not answered. */
  | { readonly type: 'wait'; readonly id: DeploymentId }
  /** How did the deployment end? Answered by 'outcome', as soon as it has ended. */
  | { readonly type: 'ask'; readonly id: DeploymentId }
  | Fetch
  /** Answered by 'pong', at once. */
  | { readonly type: 'ping' }
  /** Does the host still have what was deployed? Answered by 'verified'. */
  | { readonly type: 'verify' }

export interface Deploy {
  readonly type: 'deploy'
  readonly id: DeploymentId
  /** Its name in the config tree; the agent compares it with /etc/hostname. */
  readonly host: HostName
  readonly operator: string
  readonly from: Oid | null
  readonly to: Oid
  /** Of the plan that the operator accepted, plan/digest.ts. */
  readonly digest: string
  /** How long the agent waits for 'confirm' after it has settled. */
  readonly confirmMs: number
  /** Whether a link may replace a file that differs from what is linked there. */
  readonly adopt: boolean
  /** Whether 'confirm' counts only over another connection than this one. */
  readonly reconnect: boolean
  /** For a deployment of the tree that is deployed already: what it repairs. */
  readonly repair: Repair | null
}

/**
 * Asks for the history of the host, in a session of its own and without the lock: every commit of it that is not
 * reachable from `have`, contents first, in 'objects' messages, then 'fetched'.
 */
export interface Fetch {
  readonly type: 'fetch'
  readonly have: Oid | null
}

/**
 * A piece of a loose object as Git stores it: zlib over `<type> <size>NUL<content>`. The pieces of an object are not
 * mixed with those of others.
 */
export interface ObjectChunk {
  readonly oid: Oid
  readonly bytes: Uint8Array
  readonly last: boolean
}

export type Reply =
  | Hello
  | { readonly type: 'refused'; readonly refusal: Refusal }
  | { readonly type: 'staged'; readonly adopted: readonly Adopted[]; readonly notes: readonly string[] }
  /** A step begins: its index in the plan. */
  | { readonly type: 'step'; readonly index: number }
  /** Everything runs. The agent rolls back unless 'confirm' arrives within `ms`. */
  | { readonly type: 'settled'; readonly ms: number }
  | Undone
  | { readonly type: 'outcome'; readonly id: DeploymentId; readonly outcome: Outcome; readonly why: string }
  | { readonly type: 'objects'; readonly objects: readonly ObjectChunk[] }
  | Fetched
  | { readonly type: 'pong' }
  | Verified

export interface Fetched {
  readonly type: 'fetched'
  /** The commit that the objects lead up to. */
  readonly current: Oid | null
  /** The oldest first. */
  readonly log: readonly LoggedDeployment[]
  /** Deployments that are in the log too, in words of a newer version. */
  readonly unread: readonly DeploymentId[]
}

/** As it is kept in the host's log. */
export interface OutcomeRecord {
  readonly id: DeploymentId
  readonly from: Oid | null
  readonly to: Oid
  readonly operator: string
  readonly outcome: Outcome
  readonly why: string
  /** When it began, in milliseconds since 1970, and its duration. */
  readonly at: number
  readonly ms: number
}

export interface LoggedDeployment extends OutcomeRecord {
  /** The subject of its commit, if the host still has that. */
  readonly subject: string | null
}

/** What a link replaces. */
export interface Adopted {
  readonly path: HostPath
  readonly backup: HostPath
  /** Whether it differs from what is linked there. */
  readonly differs: boolean
}

export interface Verified {
  readonly type: 'verified'
  readonly findings: readonly Finding[]
  /** Meanwhile nothing can be said about the host, and `findings` is empty. */
  readonly pending: InProgress | null
  /** null before the first deployment. */
  readonly last: { readonly id: DeploymentId; readonly outcome: Outcome; readonly why: string } | null
}

export interface Hello {
  readonly type: 'hello'
  readonly version: string
  readonly build: string
  readonly hostname: string
  /** The commit that is deployed on the host. */
  readonly current: Oid | null
  /** The deployment that a killed agent had left, and that this session has finished before this message. */
  readonly recovered: { readonly id: DeploymentId; readonly outcome: Outcome } | null
  readonly pending: InProgress | null
  /** What time it is there, in milliseconds since 1970. */
  readonly now: number
}

/** A deployment in progress, in another session. */
export interface InProgress {
  readonly holder: string
  /** Milliseconds since 1970. */
  readonly since: number
  /** '' if the other session has only just begun. */
  readonly id: DeploymentId | ''
  /** How much longer it waits for its confirmation; null if it does not wait for that. */
  readonly msLeft: number | null
}

/** Nothing has been changed. */
export type Refusal =
  | { readonly kind: 'hostname'; readonly found: string }
  | ({ readonly kind: 'busy' } & InProgress)
  | { readonly kind: 'stale'; readonly current: Oid | null }
  /** The host has had a deployment with this id: a saved plan can be applied once. */
  | { readonly kind: 'spent'; readonly outcome: Outcome; readonly why: string }
  | { readonly kind: 'plan'; readonly steps: readonly Step[] }
  | { readonly kind: 'preflight'; readonly problems: readonly Obstacle[] }
  | { readonly kind: 'error'; readonly message: string }

export interface Obstacle {
  /** The lines after the first were printed by a program. */
  readonly what: string
  readonly hint: string | null
}

interface Undone {
  readonly type: 'undone'
  readonly failure: Failure
  /** What could not be restored. */
  readonly leftovers: readonly string[]
}

export interface Failure {
  /** The index of the step; null if the operator, a deadline or a lost agent was the cause. */
  readonly step: number | null
  readonly message: string
  readonly units: readonly UnitReport[]
}

/** A unit that does not run as it should. */
export interface UnitReport {
  readonly unit: UnitName
  readonly state: string
  readonly log: readonly string[]
}

/**
 * held: the deployment succeeded. undone: it was rolled back. damaged: it was rolled back incompletely. unknown: the
 * host has never heard of it.
 */
export type Outcome = (typeof OUTCOMES)[number]
export const OUTCOMES = ['held', 'undone', 'damaged', 'unknown'] as const
