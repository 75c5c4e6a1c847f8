import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

/** Runs a program to its end, whatever that is. Rejects only where it could not be started. */
export function execute(argv: readonly string[], options: ExecuteOptions = {}): Promise<Ran> {
  return start(argv, options).ran
}

/** What it printed on stdout. Rejects with all that it printed where it did not exit with 0. */
export async function output(argv: readonly string[], options: ExecuteOptions = {}): Promise<string> {
  const ran = await execute(argv, options)
  if (ran.code !== 0)
    throw new Error(`'${argv.join(' ')}' ended with ${ran.code}\n${ran.stderr}${ran.stdout}`)
  return ran.stdout
}

export function start(argv: readonly string[], { input, ...options }: ExecuteOptions = {}): Running {
  const [program = '', ...args] = argv
  // A process group of its own, so that a signal reaches what git starts too.
  const child = spawn(program, args, { ...options, detached: true })
  const ended = new Promise<Ran['code']>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? signal!))
  })
  // A program that ends without reading its input is none of our business.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const ran = Promise.all([text(child.stdout), text(child.stderr), ended])
  return {
    ran: ran.then(([stdout, stderr, code]) => ({ stdout, stderr, code })),
    kill: signal => void process.kill(-child.pid!, signal),
  }
}

export interface ExecuteOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string | Uint8Array
}

export interface Running {
  readonly ran: Promise<Ran>
  /** Signals the program and all that it started. */
  kill(signal: NodeJS.Signals): void
}

export interface Ran {
  readonly stdout: string
  readonly stderr: string
  /** The exit status, or the signal that ended it. */
  readonly code: number | NodeJS.Signals
}
