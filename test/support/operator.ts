import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ExecuteOptions, execute, output, type Ran, type Running, start } from './execute.ts'
import { normalise, type Place } from './normalise.ts'
import { Outcome } from './outcome.ts'
import { type Dialog, runOnTerminal } from './terminal.ts'
import { type Tree, writeTree } from './tree.ts'

const BIN = fileURLToPath(new URL('../../bin', import.meta.url))

/** Somebody with a repository and a home directory, untouched by the settings of whoever runs the tests. */
export class Operator {
  readonly name: string
  readonly home: string
  readonly repo: string
  /** For every command from now on, over what is there. */
  readonly env: NodeJS.ProcessEnv
  readonly #places: readonly Place[]

  constructor({ name, directory, gitConfig, places }: OperatorOptions) {
    this.name = name
    this.home = join(directory, 'home')
    this.repo = join(directory, 'repo')
    this.#places = places
    mkdirSync(this.home, { recursive: true })
    const identity = `[user]\n  name = ${name}\n  email = ${name.toLowerCase()}@example.com\n`
    writeFileSync(join(this.home, '.gitconfig'), identity + gitConfig)
    this.env = {
      PATH: [join(this.home, 'bin'), BIN, process.env['PATH']].join(delimiter),
      HOME: this.home,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      LC_ALL: 'C.UTF-8',
      TZ: 'UTC',
      TERM: 'xterm',
    }
  }

  /** Files below `prod/`, not committed. */
  write(tree: Tree): void {
    writeTree(join(this.repo, 'prod'), tree)
  }

  /** Files and directories below `prod/`, not committed. */
  remove(...paths: string[]): void {
    for (const path of paths) rmSync(join(this.repo, 'prod', path), { recursive: true })
  }

  /** Commits all that is there; resolves with the commit. */
  async commit(message = 'change the configuration'): Promise<string> {
    await this.git('add', '--all')
    await this.git('commit', '--quiet', '--allow-empty', '--message', message)
    return this.git('rev-parse', 'HEAD')
  }

  /** What git printed, without the last line end. Rejects where it failed. */
  async git(...args: string[]): Promise<string> {
    return (await output(['git', ...args], this.#options())).replace(/\n$/, '')
  }

  /** `git deploy …` as a script would run it. */
  run(...args: string[]): Outcome {
    return this.start(...args).outcome
  }

  /** `git deploy prod --yes …` where only its success matters. */
  async deploy(...args: string[]): Promise<void> {
    await output(['git', 'deploy', 'prod', '--yes', ...args], this.#options())
  }

  /** Like `run`, for commands that do not get to end by themselves. */
  start(...args: string[]): { readonly outcome: Outcome } & Pick<Running, 'kill' | 'shows'> {
    const { ran, ...running } = start(['git', 'deploy', ...args], this.#options())
    return { outcome: Outcome.of(shown(args), ran, text => this.normalise(text)), ...running }
  }

  /** `git deploy …` with a person at the terminal. All that the screen showed is in `stdout`. */
  runInTerminal(args: readonly string[], dialog: Dialog = []): Outcome {
    const ran = runOnTerminal(['git', 'deploy', ...args], dialog, { cwd: this.repo, env: this.env })
    return Outcome.of(shown(args), ran, text => this.normalise(text))
  }

  /** Any other program in the repository, with the operator's environment. */
  execute(argv: readonly string[]): Promise<Ran> {
    return execute(argv, this.#options())
  }

  normalise(text: string): string {
    return normalise(text, this.#places)
  }

  #options(): ExecuteOptions {
    return { cwd: this.repo, env: this.env }
  }
}

export interface OperatorOptions {
  readonly name: string
  /** The home directory and the repository are in it. */
  readonly directory: string
  /** Settings for ~/.gitconfig, in its format. */
  readonly gitConfig: string
  readonly places: readonly Place[]
}

function shown(args: readonly string[]): string {
  return ['git', 'deploy', ...args].join(' ')
}
