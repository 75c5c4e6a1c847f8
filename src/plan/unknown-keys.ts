import type { HostState } from './host-state.ts'
import type { Problem } from './problem.ts'

/**
 * Keys of manifests that run, and are not known here, in apps that the plan changes or removes: what a newer version made
 * of them would be left behind.
 */
export function unknownKeys(old: HostState, next: HostState): Problem[] {
  const stays = new Set(next.apps.map(({ tree }) => tree))
  const changed = old.apps.filter(({ tree }) => !stays.has(tree)).map(({ name }) => `${name}/`)
  return old.problems.filter(
    ({ kind, file }) => kind === 'unknown key' && changed.some(app => file.startsWith(app)),
  )
}
