import { spawn } from 'node:child_process'
import { once } from 'node:events'
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

  constructor(shell: Shell) {
    this.#shell = shell
  }

  headline(text: string): void {
    console.log(`\n${pc.bold(pc.cyan(text))}`)
  }

  /** Runs a command with the screen as its own. Rejects where it ends otherwise than it should. */
  async run(command: string, { exits = 0 }: { readonly exits?: number } = {}): Promise<void> {
    console.log(prompt(command))
    const start = performance.now()
    const child = spawn('sh', ['-c', command], { ...this.#shell, stdio: 'inherit' })
    const [code, signal] = await once(child, 'exit')
    const unexpected = code === exits ? '' : `, and not with ${exits}`
    console.log(pc.dim(`${since(start)}${code === 0 ? '' : `, exit ${code ?? signal}${unexpected}`}`))
    if (unexpected) throw new Error(`'${command}' ended with ${code ?? signal}${unexpected}`)
  }

  /** Runs a command that has nothing to say. */
  async quiet(command: string): Promise<void> {
    const start = performance.now()
    await output(['sh', '-c', command], this.#shell)
    console.log(`${prompt(command)}  ${pc.dim(since(start))}`)
  }

  /** Asks until the answer is the expected one, because some services take a moment, and shows it. */
  async expect(question: string, ask: () => Promise<string>, expected: string): Promise<void> {
    const deadline = performance.now() + 3000
    let answer = await ask()
    while (answer !== expected && performance.now() < deadline) answer = await ask()
    console.log(`${answer === expected ? pc.green('✓') : pc.red('✗')} ${question}: ${pc.bold(answer)}`)
    if (answer !== expected) throw new Error(`${question}: '${answer}', and not '${expected}'`)
  }

  keepsake(lines: readonly string[]): void {
    this.headline('Kept, to play with')
    console.log(lines.join('\n'))
  }

  async cleanUp(work: () => Promise<void>): Promise<void> {
    const start = performance.now()
    await work()
    console.log(`\ncleaned up; --keep leaves all of this to play with  ${pc.dim(since(start))}`)
  }
}

function prompt(command: string): string {
  return `${pc.dim('$')} ${pc.bold(command)}`
}

function since(start: number): string {
  return `${((performance.now() - start) / 1000).toFixed(2)} s`
}
