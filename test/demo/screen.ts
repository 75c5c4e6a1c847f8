import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import pc from 'picocolors'
import { output } from '../support/execute.ts'

/** What the commands of the story run with. */
export interface Shell {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
}

/** The story as it appears: headlines, commands as typed with what they print, and facts that were checked. */
export class Screen {
  readonly #shell: Shell
  #running: ChildProcess | undefined
  #closed = false

  constructor(shell: Shell) {
    this.#shell = shell
  }

  headline(text: string): void {
    console.log(`\n${pc.bold(pc.cyan(text))}`)
  }

  /** Runs a command with the screen as its own. Rejects where it ends otherwise than it should. */
  async run(command: string, { exits = 0 }: { readonly exits?: number } = {}): Promise<void> {
    this.#mustBeOpen()
    console.log(prompt(command))
    const start = performance.now()
    const child = spawn('sh', ['-c', command], { ...this.#shell, stdio: 'inherit' })
    this.#running = child
    const [status, signal] = await once(child, 'exit')
    const code = status ?? signal
    console.log(pc.dim(`${since(start)}${code === 0 ? '' : `, exit ${code}`}`))
    if (code !== exits) throw new Error(`'${command}' ended with ${code}, and not with ${exits}`)
  }

  /** Runs a command that has nothing to say. */
  async quiet(command: string): Promise<void> {
    this.#mustBeOpen()
    const start = performance.now()
    const said = await output(['sh', '-c', command], this.#shell)
    console.log(`${prompt(command)}  ${pc.dim(since(start))}`)
    if (said !== '') throw new Error(`'${command}' was not silent:\n${said}`)
  }

  /** Asks until the answer is the expected one, because some services take a moment, and shows it. */
  async expect(question: string, ask: () => Promise<string>, expected: string): Promise<void> {
    this.#mustBeOpen()
    const deadline = performance.now() + 3000
    let answer = await ask()
    while (answer !== expected && performance.now() < deadline) {
      await sleep(20)
      answer = await ask()
    }
    const wanted = answer === expected ? '' : `, and not ${pc.bold(expected)}`
    this.fact(`${question} ${pc.bold(answer)}${wanted}`, answer === expected)
  }

  /** Throws where it does not hold. */
  fact(text: string, holds: boolean): void {
    console.log(`${holds ? pc.green('✓') : pc.red('✗')} ${text}`)
    if (!holds) throw new Error(`not as it should be: ${text}`)
  }

  /** Resolves when the command under way has ended; there will be no other. */
  async close(): Promise<void> {
    this.#closed = true
    const child = this.#running
    if (child?.exitCode === null && child.signalCode === null) await once(child, 'exit')
  }

  #mustBeOpen(): void {
    if (this.#closed) throw new Error('interrupted')
  }
}

function prompt(command: string): string {
  return `${pc.dim('$')} ${pc.bold(command)}`
}

function since(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(2)} s`
}
