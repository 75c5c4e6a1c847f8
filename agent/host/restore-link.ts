import { dropTemporary, makeDirectories, placeLink } from './files.ts'
import type { Files } from './machine.ts'
import { parentOf } from './paths.ts'

/**
 * Makes `path` the link that it was, and removes what a killed agent had made ready for it. Whoever took the link away
 * may have removed its directory too. False if the link is there.
 */
export function restoreLink(files: Files, target: string, path: string): boolean {
  dropTemporary(files, path)
  if (files.readlink(path) === target) return false
  makeDirectories(files, parentOf(path), 0o755)
  placeLink(files, target, path)
  return true
}
