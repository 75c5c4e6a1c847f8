/** A mistake in a config tree. All of them are collected, and shown together. */
export interface Problem {
  /** The path below the host's directory. */
  readonly file: string
  /** In a JSON file, the keys that lead to the value; 'syntax' if it does not parse. */
  readonly at?: readonly (string | number)[] | 'syntax'
  readonly what: string
  readonly hint?: string
  readonly kind?: ProblemKind
}

/** What makes a difference to more than the words: another version may know the key. */
export type ProblemKind = 'unknown key'
