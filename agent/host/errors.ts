import { BASE } from '../../src/plan/places.ts'
import { SystemFailure } from './machine.ts'

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'disk quota exceeded',
  EFBIG: 'the file is too large',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EIO: 'the disk reports an I/O error',
  EMFILE: 'too many open files',
  ENOTDIR: 'part of the path is not a directory',
  EEXIST: 'something else already exists there',
  EISDIR: 'it is a directory',
  ELOOP: 'too many symbolic links in the path',
}

/** A disk that is full, read-only or failing: it may work again later. */
export function isDiskError(error: unknown): boolean {
  return error instanceof SystemFailure && ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EIO'].includes(error.code)
}

/** What was attempted, and in words why it failed. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (!(error instanceof SystemFailure)) return error.message
  const what = error.message.replace(new RegExp(`: ${error.code}$`), '')
  // A failed write has no path: all files that the agent writes are below BASE.
  const where = what.includes("'") ? '' : ` below '${BASE}'`
  return `cannot ${what}${where}: ${WORDS[error.code] ?? error.code}`
}
