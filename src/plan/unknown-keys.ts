import type { HostState } from './host-state.ts'
import type { Problem } from './problem.ts'

/**
 * Keys of manifests that run, and are not known here, in apps that the plan changes or removes: what a newer version made
 * of them would be left behind.
 */
export function unknownKeys(old: HostState, next: HostState): Problem[] {
  const unknown = old.problems.filter(({ kind }) => kind === 'unknown key')
  if (unknown.length === 0) return []
  const stays = new Set(next.apps.map(({ tree }) => tree))
  const changed = old.apps.filter(({ tree }) => !stays.has(tree)).map(({ name }) => `${name}/`)
  return unknown.filter(({ file }) => changed.some(app => file.startsWith(app)))
}
