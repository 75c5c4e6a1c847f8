/** The clusters that this repository deploys, and which of them a commit touches. */
import { posix } from 'node:path'
import { git, type Place } from '../git/git.ts'
import type { RepositoryReading } from './repository-state.ts'

/** Paths below the root of the repository: the configured cluster, and those from which something is deployed. */
export async function knownClusters(reading: RepositoryReading): Promise<string[]> {
  const [{ cluster }, tracking] = await Promise.all([reading.config, reading.tracking])
  const configured = cluster === null ? [] : [posix.normalize(cluster).replace(/\/+$/, '')]
  const deployed = [...tracking.values()].flatMap(({ cluster }) => cluster ?? [])
  // A tracking ref has only the name; the configured cluster may be further down.
  const others = deployed.filter(name => !configured.some(path => posix.basename(path) === name))
  return [...new Set([...configured, ...others])]
}

/** The known clusters in which the commit changes something; of a merge, against its first parent. */
export async function changedClusters(
  place: Place,
  reading: RepositoryReading,
  rev: string,
): Promise<string[]> {
  const args = ['--root', '-m', '--first-parent', '--no-commit-id', '-r', '--name-only', '-z', rev]
  const [clusters, { stdout }] = await Promise.all([
    knownClusters(reading),
    git(place, ['diff-tree', ...args, '--']),
  ])
  const files = stdout.toString().split('\0')
  return clusters.filter(cluster => files.some(file => file.startsWith(`${cluster}/`)))
}
