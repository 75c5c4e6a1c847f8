/** What files contain that somebody else may be writing to at the same time, and may have made as large as he likes. */
import { type Hasher, type Names, SystemFailure } from './machine.ts'

export interface Named {
  readonly names: Names
  readonly name: string
}

/** Asked now and then by what takes long. */
export type Wanted = () => boolean

/** Nobody wants any more what was being done. */
export class Unwanted extends Error {
  constructor() {
    super('interrupted')
  }
}

/** A file that changed while it was copied: nobody can say what the copy is of. */
class Unsteady extends Error {}

/** Hashes the file if it has this size, whatever it says that it has. Throws Unwanted. */
export function hashIfSized({ names, name }: Named, size: number, hash: Hasher, wanted: Wanted): boolean {
  let left = size
  const opened = names.readPieces(name, piece => {
    if (!wanted()) throw new Unwanted()
    left -= piece.length
    if (left >= 0) hash.update(piece)
    return left >= 0
  })
  return opened?.kind === 'file' && left === 0
}

/**
 * Copies content, mode and owner, durably, from the file that is opened to the file that is made: what happens to either
 * name meanwhile makes no difference. Throws Unwanted and Unsteady.
 */
export function copyFile(from: Named, to: Named, wanted: Wanted): void {
  const size = from.names.stat(from.name)?.size ?? 0
  const writer = to.names.createNew(to.name, 0o600)
  try {
    let left = size
    const opened = from.names.readPieces(from.name, piece => {
      if (!wanted()) throw new Unwanted()
      left -= piece.length
      if (left >= 0) writer.write(piece)
      return left >= 0
    })
    if (opened === undefined) throw new SystemFailure('ENOENT', `open '${from.name}'`)
    if (opened.kind !== 'file' || left !== 0) throw new Unsteady(`'${from.name}' changed while it was copied`)
    writer.give(opened)
    writer.sync()
  } finally {
    writer.close()
  }
}
