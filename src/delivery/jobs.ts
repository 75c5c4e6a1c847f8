import type { ConfirmBy } from '../command.ts'
import { chunkSource } from '../git/chunks.ts'
import { commitHosts } from '../git/history.ts'
import { LostObject } from '../git/objects.ts'
import { forgetIndex } from '../git/stat-cache.ts'
import type { DeploymentId } from '../plan/deployment-id.ts'
import type { Oid } from '../plan/names.ts'
import { newObjects } from '../plan/new-objects.ts'
import type { HostPlan } from '../plan/plan.ts'
import { digestOf } from '../planning/digest-of.ts'
import type { Planned, RanBefore } from '../planning/planned.ts'
import type { HostJob } from '../rollout/run.ts'

/** A job, and the first line of what its commit says. */
export interface RecordedJob extends HostJob {
  readonly subject: string
}

/** Writes the host commits; no ref names them before the host has reported success. */
export async function makeJobs(
  planned: Planned,
  id: DeploymentId,
  confirm: ConfirmBy = 'auto',
): Promise<RecordedJob[]> {
  const { repo, plan, source, states, objects, back } = planned
  const commits = await commitHosts(
    repo,
    plan.hosts.map(host => {
      const before = back?.get(host.host)
      return {
        host: host.host,
        cluster: plan.cluster,
        tree: host.toTree,
        parent: host.from,
        source: before ? ({ kind: 'rollback', recorded: before.source, undoes: null } as const) : source,
        deployment: id,
        subject: subjectOf(host, before),
        body: bodyOf(host),
      }
    }),
  )
  const wanted = plan.hosts.map(host => {
    const { old, next } = states.get(host.host)!
    // A host that is repaired may have lost even the commit that it runs.
    const lost = host.repair && host.from ? [host.from] : []
    return [...newObjects(old, next), ...lost, commits.get(host.host)!]
  })
  const chunks = chunkSource(objects, wantedTwice(wanted))
  return plan.hosts.map((host, i) => {
    return {
      plan: host,
      commit: commits.get(host.host)!,
      subject: subjectOf(host, back?.get(host.host)),
      digest: digestOf(host),
      reconnect: confirm === 'reconnect' || host.reconnect.length > 0,
      objects: () => orForget(chunks(wanted[i]!), planned),
    }
  })
}

function wantedTwice(lists: readonly (readonly Oid[])[]): Set<Oid> {
  const once = new Set<Oid>()
  const twice = new Set<Oid>()
  for (const oid of lists.flat()) (once.has(oid) ? twice : once).add(oid)
  return twice
}

/** If git has collected an object that only our stat cache knew, the next plan reads the files again. */
async function* orForget<T>(pieces: AsyncIterable<T>, { repo, plan }: Planned): AsyncGenerator<T> {
  try {
    yield* pieces
  } catch (error) {
    if (error instanceof LostObject) forgetIndex(repo, plan.cluster)
    throw error
  }
}

const VERBS = { add: 'add', update: 'update', repair: 'repair', remove: 'remove' } as const
const SIGNS = { add: '+', modify: '~', delete: '-' } as const

/** 'web1: update nginx, add redis', or 'web1: back to 1a2b3c4d5e: update nginx' */
function subjectOf({ host, apps }: HostPlan, before: RanBefore | undefined): string {
  const said = apps.map(({ app, action }) => `${VERBS[action]} ${app}`)
  const all = said.join(', ')
  if (all === '') return `${host}: repair`
  const back = before ? `back to ${before.commit.slice(0, 10)}: ` : ''
  return `${host}: ${back}${all.length <= 60 ? all : `${said[0]} and ${said.length - 1} more`}`
}

function bodyOf({ apps }: HostPlan): string {
  return apps
    .flatMap(({ app, files }) => files.map(({ path, action }) => `${SIGNS[action]} ${app}/${path}`))
    .slice(0, 200)
    .join('\n')
}
