import { dropTemporary, makeDirectories, placeLink } from './files.ts'
import type { Files } from './machine.ts'
import { parentOf } from './paths.ts'

/**
 * Makes `path` a link to `target` again, also if its directory is gone, and removes the temporary link of a killed
 * agent. false if the link is there.
 */
export function restoreLink(files: Files, target: string, path: string): boolean {
  dropTemporary(files, path)
  if (files.readlink(path) === target) return false
  makeDirectories(files, parentOf(path), 0o755)
  placeLink(files, target, path)
  return true
}
