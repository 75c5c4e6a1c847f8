import { Fatal } from '../errors.ts'
import type { HostName } from '../plan/names.ts'
import { suggest } from '../plan/suggest.ts'

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
