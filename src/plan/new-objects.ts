import type { HostState } from './host-state.ts'
import type { Oid } from './names.ts'

/**
 * The objects of `next` that a host with `old` does not have: contents before the trees that name them, so that every
 * tree that arrives is complete.
 */
export function newObjects(old: HostState, next: HostState): Oid[] {
  const has = new Set<Oid>([...old.trees, ...filesOf(old)])
  return [...new Set([...filesOf(next), ...[...next.trees].reverse()])].filter(oid => !has.has(oid))
}

function filesOf(state: HostState): Oid[] {
  return state.apps.flatMap(app => app.files.map(file => file.oid))
}
