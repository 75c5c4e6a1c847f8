/**
 * A plan in a file, to be reviewed and carried out later: `plan -o` writes it, `apply` reads it. It holds names, object
 * names and digests, and no contents: `apply` derives the plan again and compares.
 */
import type { Source } from '../git/snapshot.ts'
import { type DeploymentId, deploymentId } from '../plan/deployment-id.ts'
import { type HostName, hostName, type Oid, oid } from '../plan/names.ts'
import {
  choice,
  type Decoder,
  list,
  literal,
  name,
  nullable,
  ProtocolError,
  record,
  text,
  truth,
  variant,
} from '../protocol/decoders.ts'

export const FORMAT = 'git-deploy-plan/1'

export interface SavedPlan {
  readonly format: typeof FORMAT
  /** Of the deployment that carries it out. Hosts remember it, so that a plan is carried out only once. */
  readonly id: DeploymentId
  /** When it was saved, in ISO 8601, UTC. */
  readonly at: string
  /** `Name <email>`; null if git did not know. */
  readonly by: string | null
  /** Of git-deploy: another version may derive other steps from the same trees. */
  readonly version: string
  /** The cluster's directory, below the root of the repository. */
  readonly cluster: string
  readonly source: SavedSource
  /** Those with something to do, by name. */
  readonly hosts: readonly SavedHost[]
  /** Hosts that are no longer tracked once the plan has succeeded, because --prune was given. */
  readonly leaving: readonly HostName[]
}

/** Rollbacks and repairs are not saved, nor is what git was in the middle of. */
type SavedSource =
  | Omit<Extract<Source, { kind: 'worktree' }>, 'during'>
  | Extract<Source, { kind: 'revision' }>

export interface SavedHost {
  readonly host: HostName
  /** The commit that the host has to be at; null if nothing was deployed. */
  readonly from: Oid | null
  readonly toTree: Oid
  readonly digest: string
}

type Decoded =
  | { readonly kind: 'plan'; readonly plan: SavedPlan }
  | { readonly kind: 'malformed'; readonly why: string }

export function encodeSavedPlan(plan: SavedPlan): string {
  return `${JSON.stringify(plan, null, 2)}\n`
}

export function decodeSavedPlan(content: string): Decoded {
  let json: unknown
  try {
    json = JSON.parse(content)
  } catch {
    return { kind: 'malformed', why: 'it is not a saved plan' }
  }
  const format = typeof json === 'object' && json !== null && 'format' in json ? json.format : undefined
  if (typeof format !== 'string' || !format.startsWith('git-deploy-plan/'))
    return { kind: 'malformed', why: 'it is not a saved plan' }
  if (format !== FORMAT)
    return {
      kind: 'malformed',
      why: `its format is '${format}', but this version of git-deploy reads '${FORMAT}'`,
    }
  try {
    return { kind: 'plan', plan: decode(json, 'plan') }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { kind: 'malformed', why: error.message }
  }
}

const object = name<Oid>(oid, 'an object name')
const id = name<DeploymentId>(deploymentId, 'a deployment id')
const instant = matching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'a time like 2026-11-23T07:45:02Z')
const sha256 = matching(/^[0-9a-f]{64}$/, 'a digest')
const inside = matching(
  /^(?!\/)(?!(?:.*\/)?\.\.?(?:\/|$))[^\x00-\x1f\x7f-\x9f]+$/,
  'a path inside the repository',
)

const source = variant<SavedSource, 'kind'>(
  {
    worktree: record<SavedSource & { kind: 'worktree' }>({
      kind: literal('worktree'),
      commit: nullable(object),
      branch: nullable(text),
      dirty: truth,
    }),
    revision: record<SavedSource & { kind: 'revision' }>({
      kind: literal('revision'),
      rev: text,
      commit: object,
    }),
  },
  'kind',
)

const host = record<SavedHost>({
  host: name<HostName>(hostName, 'a host name'),
  from: nullable(object),
  toTree: object,
  digest: sha256,
})

const decode: Decoder<SavedPlan> = record<SavedPlan>({
  format: choice([FORMAT]),
  id,
  at: instant,
  by: nullable(text),
  version: text,
  cluster: inside,
  source,
  hosts: list(host),
  leaving: list(name<HostName>(hostName, 'a host name')),
})

function matching(pattern: RegExp, what: string): Decoder<string> {
  return name(text => (pattern.test(text) ? text : undefined), what)
}
