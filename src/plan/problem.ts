/** Something wrong with a config tree that an operator can mend. Problems are collected, and shown all at once. */
export interface Problem {
  /** The path below the host's directory. */
  readonly file: string
  /** Where in a JSON file: the keys that lead to the value, or 'syntax' where it does not parse. */
  readonly at?: readonly (string | number)[] | 'syntax'
  readonly what: string
  readonly hint?: string
  readonly kind?: ProblemKind
}

/** What makes a difference to more than the words: another version may know the key. */
export type ProblemKind = 'unknown key'
