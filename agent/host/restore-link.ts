import { dropTemporary, placeLink } from './files.ts'
import type { Names } from './machine.ts'

/**
 * Makes `name` a link to `target` again, and removes the temporary link of a killed agent. false if the link is there.
 */
export function restoreLink(names: Names, target: string, name: string): boolean {
  dropTemporary(names, name)
  if (names.readlink(name) === target) return false
  placeLink(names, target, name)
  return true
}
