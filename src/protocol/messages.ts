/**
 * What the two ends say to each other. One session is one agent process; docs/protocol.md shows it as a conversation.
 * Each message is decoded with checks (decode.ts) before anything looks at it.
 */
import type { Finding, Repair } from '../plan/drift.ts'
import type { HostName, HostPath, Oid, UnitName } from '../plan/names.ts'
import type { Step } from '../plan/steps.ts'

/** A deployment's id: the UTC second it was made and 40 random bits, as in 20261123T074502-3f9a1c0b7e. Sorts by time. */
export type DeploymentId = string

/** From the operator's side to the agent. */
export type Request =
  /** Opens a deployment; its objects and 'stage' follow in the same flight. */
  | Deploy
  | { readonly type: 'objects'; readonly objects: readonly ObjectChunk[] }
  /** All objects were sent: stage. Answered by 'staged' or 'refused'. */
  | { readonly type: 'stage' }
  /** Answered by 'step' messages, then 'settled' or 'undone'. */
  | { readonly type: 'activate' }
  /** Makes the deployment hold. Also in a session of its own; answered by 'outcome'. */
  | { readonly type: 'confirm'; readonly id: DeploymentId }
  /** Takes the deployment back. Also in a session of its own; answered by 'outcome'. */
  | { readonly type: 'undo'; readonly id: DeploymentId; readonly why: string }
  /** After 'settled': other hosts have not settled yet, so the time for 'confirm' starts anew. Not answered. */
  | { readonly type: 'wait'; readonly id: DeploymentId }
  /** Asks how a deployment ended; waits while it is under way. Answered by 'outcome'. */
  | { readonly type: 'ask'; readonly id: DeploymentId }
  | Fetch
  /** Answered by 'pong', at once. */
  | { readonly type: 'ping' }
  /** Asks whether the host still is as it was deployed. Answered by 'verified'. */
  | { readonly type: 'verify' }

export interface Deploy {
  readonly type: 'deploy'
  readonly id: DeploymentId
  /** The name the operator knows the host by; the agent compares it with /etc/hostname. */
  readonly host: HostName
  readonly operator: string
  readonly from: Oid | null
  readonly to: Oid
  /** Of the plan that the operator accepted, plan/digest.ts. */
  readonly digest: string
  /** How long the agent waits for 'confirm' once it has settled, in milliseconds. */
  readonly confirmMs: number
  /** Whether what is at the path of a link may differ from what is linked there. */
  readonly adopt: boolean
  /** Whether 'confirm' counts only over another connection than this one. */
  readonly reconnect: boolean
  /** Where the deployment mends the tree that holds already: what it mends. */
  readonly repair: Repair | null
}

/**
 * Asks for the history of the host, in a session of its own and under no lock: every commit that holds there and is
 * not reachable from `have`, contents first, in 'objects' messages, then 'fetched'.
 */
export interface Fetch {
  readonly type: 'fetch'
  readonly have: Oid | null
}

/**
 * A piece of a loose object as git stores it: zlib over `<type> <size>NUL<content>`. Pieces of one object follow each
 * other.
 */
export interface ObjectChunk {
  readonly oid: Oid
  readonly bytes: Uint8Array
  readonly last: boolean
}

/** From the agent to the operator's side. */
export type Reply =
  | Hello
  | { readonly type: 'refused'; readonly refusal: Refusal }
  | { readonly type: 'staged'; readonly adopted: readonly Adopted[]; readonly notes: readonly string[] }
  /** Step number `index` of the plan begins. */
  | { readonly type: 'step'; readonly index: number }
  /** Everything runs, and is undone unless 'confirm' comes within `ms`: the agent is armed. */
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
}

/** How a deployment ended on a host, as it is kept there. */
export interface OutcomeRecord {
  readonly id: DeploymentId
  readonly from: Oid | null
  readonly to: Oid
  readonly operator: string
  readonly outcome: Outcome
  readonly why: string
  /** When it began, in milliseconds since 1970, and how long it took. */
  readonly at: number
  readonly ms: number
}

export interface LoggedDeployment extends OutcomeRecord {
  /** What its commit says in one line, where the host still has it. */
  readonly subject: string | null
}

/** What a link takes the place of. */
export interface Adopted {
  readonly path: HostPath
  /** Where it is kept. */
  readonly backup: HostPath
  /** Whether it is something else than what is linked there. */
  readonly differs: boolean
}

export interface Verified {
  readonly type: 'verified'
  readonly findings: readonly Finding[]
  /** While there is one nothing can be told, and `findings` is empty. */
  readonly pending: Pending | null
  /** How the last deployment ended; null before the first. */
  readonly last: { readonly id: DeploymentId; readonly outcome: Outcome; readonly why: string } | null
}

export interface Hello {
  readonly type: 'hello'
  readonly version: string
  readonly build: string
  readonly hostname: string
  /** The commit that holds on the host. */
  readonly current: Oid | null
  /** What this session found left behind by a killed predecessor, and finished, before it said hello. */
  readonly recovered: { readonly id: DeploymentId; readonly outcome: Outcome } | null
  readonly pending: Pending | null
  /** What time it is there, in milliseconds since 1970. */
  readonly now: number
}

/** A deployment that another session is carrying out. */
export interface Pending {
  readonly holder: string
  /** Milliseconds since 1970. */
  readonly since: number
  /** '' where the other session has only just begun. */
  readonly id: DeploymentId
  /** How long it still waits for its confirmation, in milliseconds; null while it does not. */
  readonly msLeft: number | null
}

/** Nothing of the plan was carried out. */
export type Refusal =
  | { readonly kind: 'hostname'; readonly found: string }
  | ({ readonly kind: 'busy' } & Pending)
  | { readonly kind: 'stale'; readonly current: Oid | null }
  /** The host has carried out a deployment of this id before: a saved plan is good for one. */
  | { readonly kind: 'spent'; readonly outcome: Outcome; readonly why: string }
  | { readonly kind: 'plan'; readonly steps: readonly Step[] }
  | { readonly kind: 'preflight'; readonly problems: readonly Obstacle[] }
  | { readonly kind: 'error'; readonly message: string }

export interface Obstacle {
  /** Lines after the first are what a program printed. */
  readonly what: string
  readonly hint: string | null
}

export interface Undone {
  readonly type: 'undone'
  readonly failure: Failure
  /** What did not go back to what it was; empty when all is as before. */
  readonly leftovers: readonly string[]
}

export interface Failure {
  /** The step that failed; null where the operator, a deadline or a lost agent was the cause. */
  readonly step: number | null
  readonly message: string
  readonly units: readonly UnitReport[]
}

/** A unit that does not run as it should, and its last words. */
export interface UnitReport {
  readonly unit: UnitName
  readonly state: string
  readonly log: readonly string[]
}

/**
 * held: what was deployed is what runs. undone: the host is back where it was. unknown: the host has never heard of
 * this deployment. damaged: undone, but not everything went back.
 */
export type Outcome = 'held' | 'undone' | 'damaged' | 'unknown'
