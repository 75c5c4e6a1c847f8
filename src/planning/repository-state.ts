/** What every command begins with: the repository, its settings, and what it knows of its hosts. */
import { type Config, readConfig } from '../git/config.ts'
import { openRepository, type Place, type Repository } from '../git/git.ts'
import { readTracking, type Tracked } from '../git/refs.ts'
import type { HostName } from '../plan/names.ts'

export interface RepositoryState {
  readonly repo: Repository
  readonly config: Config
  /** Every host that this repository tracks, whatever cluster it is in. */
  readonly tracking: ReadonlyMap<HostName, Tracked>
}

/** The same, while git works on the answers. */
export type RepositoryReading = { readonly [K in keyof RepositoryState]: Promise<RepositoryState[K]> }

/** Asks everything at once, before it is known which repository it is: a git process takes as long as all of them. */
export function beginReading(place: Place): RepositoryReading {
  const [config, tracking] = [readConfig(place), readTracking(place)]
  for (const early of [config, tracking])
    early.catch(() => {
      // Reported where it is awaited, unless there is no repository at all: then that is reported.
    })
  return { config, tracking, repo: openRepository(place) }
}

/** Throws Fatal where there is no repository. */
export async function readRepository(place: Place): Promise<RepositoryState> {
  const reading = beginReading(place)
  const repo = await reading.repo
  const [config, tracking] = await Promise.all([reading.config, reading.tracking])
  return { repo, config, tracking }
}
