import { SystemFailure } from './machine.ts'
import { BASE } from './paths.ts'

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left on the device',
  EDQUOT: 'the disk quota is exceeded',
  EFBIG: 'the file is too large',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EIO: 'the disk reports an error',
  EMFILE: 'too many open files',
  ENOTDIR: 'a directory on the way is none',
  EEXIST: 'something else is in its place',
  EISDIR: 'a directory is in the way',
  ELOOP: 'too many symbolic links on the way',
}

/** Whether it is the disk's trouble, which has an end: it is full, read-only, not ours to write to, or failing. */
export function isHindrance(error: unknown): boolean {
  return error instanceof SystemFailure && ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EIO'].includes(error.code)
}

/** What an operator is told of a failure that is nobody's plan: what was attempted, and in words why it failed. */
export function wordsFor(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (!(error instanceof SystemFailure)) return error.message
  const what = error.message.replace(new RegExp(`: ${error.code}$`), '')
  // What is done to an open file names none; all that we write to are ours.
  const where = what.includes("'") ? '' : ` below '${BASE}'`
  return `${what}${where}: ${WORDS[error.code] ?? error.code}`
}
