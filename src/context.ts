import type { Random } from './random.ts'
import type { JsonRecord } from './terminal/json/records.ts'
import type { Env, Terminal } from './terminal/terminal.ts'

/** What a command may know of the world around it. */
export interface Context {
  readonly cwd: string
  readonly env: Env
  /** As it is typed, without its operands: 'git deploy plan'. */
  readonly command: string
  /** With --json its `out` says nothing: stdout is for records alone. */
  readonly terminal: Terminal
  /** Whether --json was given. */
  readonly json: boolean
  /** Writes a record with --json, and nothing without: a command says both, its words and its records. */
  readonly emit: (record: JsonRecord) => void
  readonly now: () => Date
  /** Milliseconds that only ever go forward. */
  readonly ticks: () => number
  readonly random: Random
  /** Of git-deploy. */
  readonly version: string
}
