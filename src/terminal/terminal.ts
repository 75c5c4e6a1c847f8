/** The operator's terminal, or the pipes that stand for it. */
import type { Readable } from 'node:stream'
import picocolors from 'picocolors'
import { foldLine } from './fold-line.ts'
import { type Live, makeLive } from './live.ts'

export interface Terminal {
  /** Answers: whole lines, on stdout. */
  out(text: string): void
  /** Answers in words: as `out`, and on a screen broken between words. */
  say(text: string): void
  /** Talk: whole lines, on stderr, and on a screen broken between words. */
  note(text: string): void
  /** A question, on stderr: the cursor stays behind it. */
  prompt(text: string): void
  /** Calls back on Ctrl-C, instead of ending the program, until what it returns is called. */
  onInterrupt(listener: () => void): () => void
  /** The same for whatever asks the program to end: Ctrl-C, SIGTERM, a terminal that is closed. */
  onStop(listener: () => void): () => void
  /** Colours for `out`. `when` is what --color or git config says; null where they are silent. */
  colors(when: string | null): Colors
  /** The same for `note`. */
  noteColors(when: string | null): Colors
  /** Whether `out` reaches a screen. */
  readonly isTerminal: boolean
  /** The width to wrap at. */
  readonly columns: number
  /** Where progress can be redrawn in place; null unless stderr is a terminal that can. */
  readonly live: Live | null
  /** Where answers are read; null unless somebody can see a question and type. */
  readonly input: Readable | null
  /** Stdin to its end: a file that was handed over, not somebody's answers. */
  readAll(): Promise<string>
}

export type Colors = ReturnType<typeof picocolors.createColors>

interface Streams {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly stdout: Output
  readonly stderr: Output
  readonly onInterrupt: Terminal['onInterrupt']
  readonly onStop: Terminal['onStop']
}

interface Output {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export type Env = Readonly<Record<string, string | undefined>>

export function makeTerminal(streams: Streams, env: Env): Terminal {
  const { stdout, stderr } = streams
  const live = stderr.isTTY && (env['TERM'] ?? 'dumb') !== 'dumb' ? makeLive(stderr) : null
  const write = (stream: Output, text: string) => {
    live?.erase()
    stream.write(text)
  }
  return {
    out: text => write(stdout, `${text}\n`),
    say: text => write(stdout, `${folded(text, stdout)}\n`),
    note: text => write(stderr, `${folded(text, stderr)}\n`),
    prompt: text => write(stderr, text),
    onInterrupt: streams.onInterrupt,
    onStop: streams.onStop,
    colors: when => picocolors.createColors(wantsColor(when, { env, isTTY: stdout.isTTY ?? false })),
    noteColors: when => picocolors.createColors(wantsColor(when, { env, isTTY: stderr.isTTY ?? false })),
    isTerminal: stdout.isTTY ?? false,
    get columns() {
      return stdout.columns || 80
    },
    live,
    // A getter: opening stdin costs time, and most commands ask nothing.
    get input() {
      return stderr.isTTY && streams.stdin.isTTY ? streams.stdin : null
    },
    readAll: async () => {
      const chunks: Uint8Array[] = []
      for await (const chunk of streams.stdin) chunks.push(chunk)
      return Buffer.concat(chunks).toString()
    },
  }
}

function folded(text: string, { isTTY, columns }: Output): string {
  if (!isTTY || !columns) return text
  return text
    .split('\n')
    .flatMap(line => foldLine(line, columns))
    .join('\n')
}

/** What was asked for outright outranks the environment, as https://no-color.org has it. */
export function wantsColor(when: string | null, { env, isTTY }: { env: Env; isTTY: boolean }): boolean {
  if (when === 'always') return true
  if (when !== null && /^(?:never|false|no|off|0)$/i.test(when)) return false
  // Git has put a pager between us and the terminal: 'git -p deploy …', or pager.deploy.
  const seen = isTTY || env['GIT_PAGER_IN_USE'] === 'true'
  return seen && env['TERM'] !== 'dumb' && !env['NO_COLOR']
}
