/** What the trees of hosts describe: their apps, units and links. */
import { drive, type ObjectReader } from '../git/objects.ts'
import { conflicts } from '../plan/conflicts.ts'
import { type HostState, readHosts } from '../plan/host-state.ts'
import type { HostName, Oid } from '../plan/names.ts'
import type { Problem } from '../plan/problem.ts'

/** By tree. Throws LostObject. */
export async function readStates(trees: readonly Oid[], objects: ObjectReader): Promise<Map<Oid, HostState>> {
  const roots = [...new Set(trees)]
  const states = await drive(readHosts(roots), objects)
  return new Map(roots.map((root, i) => [root, states[i]!]))
}

/** The paths are below the cluster's directory. */
export function problemsOf(host: HostName, state: HostState): Problem[] {
  return [...state.problems, ...conflicts(state)].map(problem => ({
    ...problem,
    file: `${host}/${problem.file}`,
  }))
}
