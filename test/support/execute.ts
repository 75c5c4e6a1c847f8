import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'

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
  const printed = { stdout: '', stderr: '' }
  const watching = new EventEmitter()
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', text => {
      printed[name] += text
      watching.emit('printed')
    })
  const ran = new Promise<Ran>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ ...printed, code: code ?? signal! }))
  })
  // A program that ends without reading its input is none of our business.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return {
    ran,
    async shows(pattern) {
      const isShown = () => pattern.test(printed.stdout) || pattern.test(printed.stderr)
      while (!isShown()) {
        const ended = await Promise.race([ran, once(watching, 'printed').then(() => undefined)])
        if (ended && !isShown()) throw new Error(`it ended, and never showed ${pattern}\n${printed.stderr}`)
      }
    },
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
  /** Resolves as soon as it has printed that. */
  shows(pattern: RegExp): Promise<void>
  /** Signals the program and all that it started. */
  kill(signal: NodeJS.Signals): void
}

export interface Ran {
  readonly stdout: string
  readonly stderr: string
  /** The exit status, or the signal that ended it. */
  readonly code: number | NodeJS.Signals
}
