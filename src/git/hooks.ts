/** Git's hooks: where they are, and how one is run. */
import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { git, notStarted, type Repository } from './git.ts'

interface HookCall {
  readonly args: readonly string[]
  /** For its standard input. */
  readonly input: string
  /** Added to the environment of the repository. */
  readonly env: NodeJS.ProcessEnv
}

export interface Hook {
  readonly name: string
  readonly file: string
  /** Git runs only what is executable. */
  readonly state: 'executable' | 'ignored' | 'missing'
}

export function findHook({ hooksDir }: Repository, name: string): Hook {
  const file = join(hooksDir, name)
  // Where core.hooksPath is /dev/null, no path below it can be looked at.
  if (!existsSync(file) || !statSync(file).isFile()) return { name, file, state: 'missing' }
  try {
    accessSync(file, constants.X_OK)
    return { name, file, state: 'executable' }
  } catch {
    return { name, file, state: 'ignored' }
  }
}

/**
 * Runs an executable hook as git would, in the top directory, and resolves to its exit code. What it prints goes to
 * stderr, so that stdout holds nothing but our answer.
 */
export async function runHook(repo: Repository, { name, file }: Hook, call: HookCall): Promise<number> {
  const { stdout } = await git(repo, ['version'])
  return feedsHooks(stdout.toString()) ? runByGit(repo, name, call) : start([file, ...call.args], repo, call)
}

/** `git hook run` is older, but gives a hook no input before 2.40. */
export function feedsHooks(version: string): boolean {
  const [, major = 0, minor = 0] = /(\d+)\.(\d+)/.exec(version)?.map(Number) ?? []
  return major > 2 || (major === 2 && minor >= 40)
}

async function runByGit(repo: Repository, name: string, call: HookCall): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'git-deploy-'))
  try {
    const input = join(directory, 'input')
    writeFileSync(input, call.input)
    const run = ['git', 'hook', 'run', '--ignore-missing', `--to-stdin=${input}`, name, '--', ...call.args]
    return await start(run, repo, call)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function start(
  [program = '', ...args]: readonly string[],
  repo: Repository,
  call: HookCall,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: repo.topLevel ?? repo.gitDir,
      env: { ...repo.env, ...call.env },
      stdio: ['pipe', 2, 2],
    })
    child.on('error', error => reject(notStarted(error, program)))
    child.on('close', code => resolve(code ?? 1))
    // A hook need not read what it is told.
    child.stdin?.on('error', () => {})
    child.stdin?.end(call.input)
  })
}
