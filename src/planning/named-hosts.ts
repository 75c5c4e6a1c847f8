import { Fatal } from '../errors.ts'
import { type DeploymentId, deploymentId } from '../plan/deployment-id.ts'
import type { HostName } from '../plan/names.ts'
import { suggest } from '../plan/suggest.ts'

/**
 * The operands of a command that takes hosts, or the ids of deployments: a host of that name comes first. Throws Fatal for
 * an id that `hostsOf` knows no host for.
 */
export function hostsOrIds(
  words: readonly string[],
  known: readonly HostName[],
  {
    hostsOf,
    verb,
    why,
  }: {
    readonly hostsOf: (id: DeploymentId) => readonly HostName[]
    readonly verb: string
    readonly why: string
  },
): { readonly named: readonly string[]; readonly ids: readonly DeploymentId[] } {
  const idOf = (word: string) => (known.some(host => host === word) ? undefined : deploymentId(word))
  const ids = words.flatMap(word => idOf(word) ?? [])
  for (const id of ids)
    if (hostsOf(id).length === 0)
      throw new Fatal(`cannot ${verb} deployment ${id}: ${why}`, {
        hint: "run 'git deploy sync' to ask the hosts of a cluster",
      })
  return { named: words.filter(word => idOf(word) === undefined), ids }
}

/** A longer list of names does not help. */
const MANY = 20

/** Each once. Throws Fatal for a host that is not `known`. */
export function namedHosts(named: readonly string[], known: readonly HostName[], verb: string): HostName[] {
  const found = named.map(name => {
    const host = known.find(host => host === name)
    if (host !== undefined) return host
    throw new Fatal(`cannot ${verb} '${name}': this repository does not know this host`, {
      hint:
        known.length > 0 && known.length <= MANY
          ? suggest(name, known)
          : "run 'git deploy sync' to ask the hosts of a cluster what they run",
    })
  })
  return [...new Set(found)]
}
