/** What every command begins with: the repository, its settings, and what it knows of its hosts. */
import { type Config, readConfig } from '../git/config.ts'
import { openRepository, type Repository, type Surroundings } from '../git/git.ts'
import { readTracking, type Tracked } from '../git/refs.ts'
import type { HostName } from '../plan/names.ts'

export interface RepositoryState {
  readonly repo: Repository
  readonly config: Config
  /** Every host that this repository tracks, whatever cluster it is in. */
  readonly tracking: ReadonlyMap<HostName, Tracked>
}

/** The same, while git is still answering. */
export type RepositoryReading = { readonly [K in keyof RepositoryState]: Promise<RepositoryState[K]> }

/** All questions at once: none needs the answer to another, and three git processes take as long as one. */
export function beginReading(place: Surroundings): RepositoryReading {
  const [config, tracking] = [readConfig(place), readTracking(place)]
  for (const early of [config, tracking])
    early.catch(() => {
      // Reported where it is awaited; if there is no repository, only that is reported.
    })
  return { config, tracking, repo: openRepository(place) }
}

/** Throws Fatal if there is no repository. */
export async function readRepository(place: Surroundings): Promise<RepositoryState> {
  const reading = beginReading(place)
  const repo = await reading.repo
  const [config, tracking] = await Promise.all([reading.config, reading.tracking])
  return { repo, config, tracking }
}
