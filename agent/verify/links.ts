/** Drift of deployed links: those that are wrong, and those that are no longer declared. */
import type { Finding } from '../../src/plan/drift.ts'
import type { HostState } from '../../src/plan/host-state.ts'
import { type Link, linksOf } from '../../src/plan/links.ts'
import { type HostPath, hostPath } from '../../src/plan/names.ts'
import { APPS, PLACES } from '../../src/plan/places.ts'
import type { Files, Machine } from '../host/machine.ts'
import { parentOf } from '../host/paths.ts'
import { isOurs, readInventory } from '../store/inventory.ts'

export function findDriftOfLinks({ files }: Machine, state: HostState): Finding[] {
  const links = state.apps.flatMap(linksOf)
  return [...links.flatMap(link => findDriftOfLink(files, link)), ...findLeftovers(files, links, state)]
}

function findDriftOfLink(files: Files, { path, target }: Link): Finding[] {
  const found = files.readlink(path)
  if (found === target) return []
  if (found === undefined && files.stat(path) === undefined) return [{ kind: 'link', path, how: 'missing' }]
  return [{ kind: 'link', path, how: isOurs(files, path) ? 'elsewhere' : 'foreign' }]
}

function findLeftovers(files: Files, links: readonly Link[], state: HostState): Finding[] {
  const declared = new Set<string>(links.map(({ path }) => path))
  const enabled = new Set<string>(state.apps.flatMap(app => app.manifest.unitsEnabled))
  const places = new Set([...linksInManagedDirectories(files), ...readInventory(files).links])
  return [...places].sort().flatMap((path): Finding[] => {
    const target = files.readlink(path)
    if (target === undefined || !target.startsWith(`${APPS}/`) || declared.has(path)) return []
    // `systemctl enable`, typed by hand, writes the resolved path: the unit is enabled, for now.
    if (parentOf(path).endsWith('.wants') && enabled.has(path.slice(path.lastIndexOf('/') + 1))) return []
    return [{ kind: 'leftoverLink', path, target: hostPath(target) ?? (APPS as HostPath) }]
  })
}

/** Drop-ins and dependencies are one level below; quadlets may be two. */
const DEPTH = 2

function linksInManagedDirectories(files: Files): HostPath[] {
  const found: HostPath[] = []
  const walk = (directory: string, depth: number) => {
    for (const name of files.list(directory) ?? []) {
      const path = hostPath(`${directory}/${name}`)
      if (path === undefined) continue
      if (isOurs(files, path)) found.push(path)
      else if (depth < DEPTH && files.stat(path)?.kind === 'directory') walk(path, depth + 1)
    }
  }
  for (const directory of Object.values(PLACES)) walk(directory, 0)
  return found
}
