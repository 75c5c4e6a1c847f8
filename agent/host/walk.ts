/** Where the agent may go on a host that is not only root's, and what it does there: way.ts says how it walks. */
import { type Machine, SystemFailure } from './machine.ts'
import { baseOf, parentOf } from './paths.ts'
import { strangerText } from './trust.ts'
import { below, type Reached, type Walked, Way } from './way.ts'

/** A path that leads to where the agent must not go. */
export class BlockedPath extends Error {}

/** Walks as far as there are directories. What `use` is given is closed when it returns. SystemFailure tells whole paths. */
export function walk<T>(machine: Machine, path: string, use: (walked: Walked) => T): T {
  const way = new Way(machine)
  try {
    const walked = way.to(path)
    return walked.kind === 'reached' ? withPaths(walked, use) : use(walked)
  } finally {
    way.close()
  }
}

/**
 * The directory at the end of the path. Where it is missing, undefined is the answer; or it is made, which only happens
 * where strangers cannot put something in its place. Throws BlockedPath.
 */
export function inDirectory<T>(
  machine: Machine,
  path: string,
  whereMissing: 'make' | 'leave',
  use: (reached: Reached, isNew: boolean) => T,
  isNew = false,
): T | undefined {
  const made = walk(machine, path, walked => {
    if (walked.kind !== 'reached') throw new BlockedPath(walked.what)
    const [next] = walked.missing
    if (next === undefined) return { result: use(walked, isNew) }
    if (whereMissing === 'leave') return { result: undefined }
    if (walked.stranger) throw new BlockedPath(`'${below(walked.path, next)}' is missing`)
    walked.directory.mkdir(next, 0o755)
    return 'made'
  })
  return made === 'made' ? inDirectory(machine, path, whereMissing, use, true) : made.result
}

/**
 * Which stranger can change what is in the directory, or in the last one there is of the path: in words. Throws
 * BlockedPath.
 */
export function strangerAt(machine: Machine, path: string): string | undefined {
  return walk(machine, path, walked => {
    if (walked.kind !== 'reached') throw new BlockedPath(walked.what)
    const { path, stranger } = walked
    return stranger && `${strangerText(machine, stranger)} can change what is in '${path}'`
  })
}

/** Leaves alone what must not be reached. */
export function unlessBlocked<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    if (error instanceof BlockedPath) return undefined
    throw error
  }
}

/** Removes the file or link, where there is one. */
export function unlinkAt(machine: Machine, path: string): void {
  inDirectory(machine, parentOf(path), 'leave', ({ directory }) => directory.unlink(baseOf(path)))
}

/** Removes the directory, where it is empty. */
export function rmdirAt(machine: Machine, path: string): void {
  inDirectory(machine, parentOf(path), 'leave', ({ directory }) => directory.rmdir(baseOf(path)))
}

/** What fails in a directory tells a name only. */
function withPaths<T>(reached: Reached, use: (reached: Reached) => T): T {
  try {
    return use(reached)
  } catch (error) {
    if (!(error instanceof SystemFailure)) throw error
    const what = error.message.replace(`: ${error.code}`, '')
    throw new SystemFailure(
      error.code,
      what.replace(/'([^'/]+)'/, (_, name: string) => `'${below(reached.path, name)}'`),
    )
  }
}
