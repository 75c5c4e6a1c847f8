import { spawn } from 'node:child_process'
import { StringDecoder } from 'node:string_decoder'
import type { Ran } from './execute.ts'

/**
 * Runs a program on a terminal of 100 columns, typing each answer as soon as its question is on the screen. All that
 * the screen showed becomes `stdout`. Rejects where a question never came.
 */
export function runOnTerminal(
  argv: readonly string[],
  dialog: Dialog,
  options: TerminalOptions,
): Promise<Ran> {
  // script(1) of util-linux gives the program a terminal of its own; `-e` passes its exit code on.
  const command = `stty cols 100 rows 40; exec ${argv.map(quoted).join(' ')}`
  const child = spawn('script', ['-qec', command, '/dev/null'], { ...options, timeout: PATIENCE_MS })
  const screen = converse(child.stdout, text => child.stdin.write(text), dialog)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const { shown, unasked } = screen()
      if (unasked !== undefined) reject(new Error(`the terminal never showed ${unasked}:\n${shown}`))
      else resolve({ stdout: shown, stderr: '', code: code ?? signal! })
    })
  })
}

// A program that still runs waits for an answer, also on the busiest machine.
const PATIENCE_MS = 180_000

/** What to wait for on the screen, and what to type then; `\x03` is Ctrl-C. */
export type Dialog = readonly (readonly [question: string | RegExp, answer: string])[]

export interface TerminalOptions {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
}

/** Each question is looked for behind the place where the one before was found. */
function converse(stdout: NodeJS.ReadableStream, type: (text: string) => void, dialog: Dialog): () => Screen {
  const open = [...dialog]
  const decoder = new StringDecoder('utf8')
  let shown = ''
  let answered = 0
  stdout.on('data', (bytes: Buffer) => {
    shown += decoder.write(bytes).replaceAll('\r', '')
    for (let next = open[0]; next !== undefined; next = open[0]) {
      const end = endOf(next[0], shown.slice(answered))
      if (end === undefined) return
      answered += end
      type(next[1])
      open.shift()
    }
  })
  return () => ({ shown, unasked: open[0]?.[0] })
}

interface Screen {
  readonly shown: string
  readonly unasked: string | RegExp | undefined
}

function endOf(question: string | RegExp, text: string): number | undefined {
  const found = typeof question === 'string' ? [question] : question.exec(text)
  const start = found === null ? -1 : text.indexOf(found[0]!)
  return start < 0 ? undefined : start + found![0]!.length
}

function quoted(argument: string): string {
  return `'${argument.replaceAll("'", "'\\''")}'`
}
