/** Whether the new versions fit on the host's disk. */
import type { AppFile } from '../src/plan/host-state.ts'
import { BASE } from '../src/plan/places.ts'
import type { Obstacle } from '../src/protocol/messages.ts'
import type { Machine } from './host/machine.ts'
import type { Store } from './store/store.ts'

/** In bytes, to remain free for the undo, the log and the journal. */
export const RESERVE = 4 * 1024 * 1024
const RESERVED_INODES = 64

export function shortOfSpace(
  machine: Machine,
  store: Store,
  files: readonly AppFile[],
): Obstacle | undefined {
  const needed = RESERVE + files.reduce((sum, file) => sum + store.storedSize(file.oid) + 4096, 0)
  const space = machine.files.space(BASE)
  const inodes = files.length + RESERVED_INODES
  const short =
    space.bytes < needed
      ? `not enough space for '${BASE}': ${mebibytes(space.bytes)} free, ${mebibytes(needed)} needed`
      : space.inodes < inodes
        ? `not enough inodes for '${BASE}': ${space.inodes} free, ${inodes} needed`
        : undefined
  return short === undefined ? undefined : { what: short, hint: 'remove files from its file system' }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
