import type { Env, Terminal } from '../terminal/terminal.ts'

/** What a command may know of the world around it. */
export interface Context {
  readonly cwd: string
  readonly env: Env
  readonly terminal: Terminal
  readonly now: () => Date
  /** Milliseconds that only ever go forward. */
  readonly ticks: () => number
  readonly random: (bytes: number) => Uint8Array
}
