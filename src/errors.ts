/** Failures that an operator is told about, and the exit code each ends with (git-deploy(1), EXIT STATUS). */

export const EXIT = {
  done: 0,
  /** Failed, and no host was changed. */
  failed: 1,
  /** `plan --exit-code`: there are changes. */
  pending: 2,
  declined: 3,
  /** Some hosts failed or were rolled back. */
  partial: 4,
  /** What happened on some host is not known. */
  unknown: 5,
  /** The hosts run what was deployed, and the refs do not say so. */
  unrecorded: 6,
  /** As git's own. */
  usage: 129,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/**
 * Ends the command. `message` is lower case, the failed action first, its subject quoted, no full stop; `hint` says
 * what to do. The words are shown as they are, so text from a host is cleaned before it gets here.
 */
export class Fatal extends Error {
  readonly hint: string | undefined
  readonly exitCode: ExitCode
  constructor(message: string, { hint, exitCode = EXIT.failed, cause }: FatalOptions = {}) {
    super(message, { cause })
    this.hint = hint
    this.exitCode = exitCode
  }
}

/** A cluster's directory that is not there, on disk or in a revision. */
export class NoDirectory extends Fatal {}

export class NoRevision extends Fatal {}

interface FatalOptions {
  readonly hint?: string | undefined
  readonly exitCode?: ExitCode
  readonly cause?: unknown
}

/** What the system refused is no bug of ours; whatever else was thrown is given back. */
export function asFatal(error: unknown): unknown {
  if (error instanceof Error && 'syscall' in error && 'path' in error)
    return new Fatal(`cannot ${error.syscall} '${error.path}': ${reasonOf(error)}`, { cause: error })
  return error
}

/** A file system error in the words of strerror(3): what stands between the code and the call in Node's message. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return /^[A-Z0-9]+: (.+?)(?:, \w+(?: '.*)?)?$/s.exec(message)?.[1] ?? message
}
