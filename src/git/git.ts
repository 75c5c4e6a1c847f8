/** The door to git: which repository this is, and how its commands are run. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import { Fatal } from '../errors.ts'
import { type Oid, oid } from '../plan/names.ts'
import type { Random } from '../random.ts'

export interface Repository {
  /** Absolute; of this worktree. */
  readonly gitDir: string
  /** Absolute; what all worktrees share. */
  readonly commonDir: string
  /** Where the hooks are; absolute. Linked worktrees share it, and `core.hooksPath` moves it. */
  readonly hooksDir: string
  /** The root of the working tree; null where there is none. */
  readonly topLevel: string | null
  /** Where below `topLevel` the command was started: '' or 'a/b/'. */
  readonly prefix: string
  readonly format: 'sha1' | 'sha256'
  /** Null before the first commit, and where there is no working tree. */
  readonly head: Head | null
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  /** For our own files beside git's. */
  readonly now: () => Date
  readonly random: Random
}

interface Head {
  readonly commit: Oid
  readonly tree: Oid
}

/** Where a git command runs: enough for one that asks nothing of the repository before. */
export type Place = Pick<Repository, 'cwd' | 'env'>

/** The place, and the world around it as main.ts gives it. */
export type Surroundings = Pick<Repository, 'cwd' | 'env' | 'now' | 'random'>

interface GitOptions {
  readonly input?: string | Uint8Array
  /** Added to the environment of the repository. */
  readonly env?: NodeJS.ProcessEnv
  /** Exit codes that are answers, not failures. Default: only 0. */
  readonly okCodes?: readonly number[]
  readonly cwd?: string
}

interface GitResult {
  readonly code: number
  readonly stdout: Buffer
  readonly stderr: string
}

/** A git command that failed. The message carries the reason that git gave. */
export class GitError extends Fatal {
  readonly code: number
  readonly stderr: string
  constructor(command: string, { code, stderr }: GitResult) {
    const { reason, advice } = explain(stderr)
    super(`cannot run 'git ${command}': ${reason ?? `it exited with ${code}`}`, { hint: advice })
    this.code = code
    this.stderr = stderr
  }
}

/** The repository that `cwd` and git's own variables in `env` lead to. Throws Fatal where there is none. */
export async function openRepository({ cwd, env, now, random }: Surroundings): Promise<Repository> {
  // Node replaces what it cannot read in a path, which then leads nowhere.
  if (cwd.includes('\ufffd') && !existsSync(cwd))
    throw new Fatal(`cannot use the directory '${cwd}': its path is not UTF-8`)
  const result = await run(REV_PARSE, { cwd, env })
  const fields = result.stdout.toString().split('\n').slice(0, -1)
  // Without a working tree the last questions have no answer, without a commit those for HEAD.
  const [gitDir, commonDir, hooksDir, format, prefix, topLevel = null, ...head] = fields
  if (!gitDir || !commonDir || !hooksDir || !format || prefix === undefined) throw noRepository(result)
  if (gitDir === ABSOLUTE) throw tooOld()
  if (/[^a-z0-9]/.test(format))
    throw new Fatal(`cannot use the repository of '${cwd}': its path contains a line break`)
  if (format !== 'sha1' && format !== 'sha256')
    throw new Fatal(`cannot use the repository '${gitDir}': its object format is '${format}'`)
  const found = anywhere(env, gitDir, topLevel)
  return {
    ...{ gitDir, commonDir, topLevel, prefix, format },
    // What core.hooksPath says is taken from the top directory, which git does not do outside of it.
    hooksDir:
      topLevel !== null && isOutside(topLevel, cwd)
        ? await hooksFrom({
            ...{ now, random, cwd: topLevel },
            env: { ...found, GIT_DIR: gitDir, GIT_WORK_TREE: topLevel },
          })
        : hooksDir,
    head: headOf(head),
    env: found,
    ...{ cwd, now, random },
  }
}

function isOutside(directory: string, path: string): boolean {
  return relative(directory, path).split('/')[0] === '..'
}

async function hooksFrom(surroundings: Surroundings): Promise<string> {
  return (await openRepository(surroundings)).hooksDir
}

function headOf([first = '', second = '']: readonly string[]): Head | null {
  const [commit, tree] = [oid(first), oid(second)]
  return commit && tree ? { commit, tree } : null
}

/** Where the environment names the repository by relative paths, as in hooks, commands run elsewhere need absolute ones. */
function anywhere(env: NodeJS.ProcessEnv, gitDir: string, topLevel: string | null): NodeJS.ProcessEnv {
  return {
    ...env,
    ...(env['GIT_DIR'] && { GIT_DIR: gitDir }),
    ...(env['GIT_WORK_TREE'] && topLevel !== null && { GIT_WORK_TREE: topLevel }),
  }
}

/** Since Git 2.31; an older one gives it back. */
const ABSOLUTE = '--path-format=absolute'

const REV_PARSE = [
  'rev-parse',
  ABSOLUTE,
  '--git-dir',
  '--git-common-dir',
  '--git-path',
  'hooks',
  '--show-object-format',
  '--show-prefix',
  '--show-toplevel',
  'HEAD^{commit}',
  'HEAD^{tree}',
]

function tooOld(): Fatal {
  return new Fatal('cannot open the repository: Git is older than 2.31', {
    hint: "run 'git version' to see the version",
  })
}

function noRepository({ stderr, code }: GitResult): Fatal {
  const { reason, advice } = explain(stderr)
  const hint = stderr.includes('not a git repository')
    ? 'run the command inside the repository that contains the config tree'
    : advice
  return new Fatal(reason ?? `cannot open the repository: git exited with ${code}`, { hint })
}

/** Runs a git command for its output. Throws GitError where the exit code is not among `okCodes`. */
export async function git(
  repo: Place,
  args: readonly string[],
  options: GitOptions = {},
): Promise<GitResult> {
  const { okCodes = [0], env, cwd = repo.cwd, input } = options
  const result = await run(args, { cwd, env: { ...repo.env, ...env }, input })
  if (!okCodes.includes(result.code)) throw new GitError(args[0] ?? '', result)
  return result
}

/** Runs a git command on the user's terminal, pager included, and resolves to its exit code. */
export function gitTTY(
  repo: Repository,
  args: readonly string[],
  { stdout }: { readonly stdout: 'stdout' | 'stderr' } = { stdout: 'stdout' },
): Promise<number> {
  return new Promise((resolve, reject) => {
    const stdio = ['inherit', stdout === 'stderr' ? 2 : 'inherit', 'inherit'] as const
    const child = spawn('git', args, { cwd: repo.cwd, env: repo.env, stdio: [...stdio] })
    child.on('error', error => reject(notStarted(error)))
    // A pager that was quit early ends git by SIGPIPE: no failure.
    child.on('close', (code, signal) => resolve(code ?? (signal === 'SIGPIPE' ? 0 : 1)))
  })
}

/**
 * How git is started where its output is parsed: its words are untranslated, and objects are what their names say. Of
 * a Ctrl-C at the terminal it hears nothing: what has to be written down then is.
 */
export function unseen({ cwd, env }: Pick<Place, 'cwd' | 'env'>): UnseenOptions {
  const plain = { LC_ALL: 'C', GIT_OPTIONAL_LOCKS: '0', GIT_NO_REPLACE_OBJECTS: '1' }
  return { cwd, env: { ...env, ...plain }, detached: true }
}

/** For a `git log` whose output is parsed, whatever the user has it show otherwise. */
export const PLAIN_LOG = ['--no-show-signature', '--encoding=UTF-8']

interface UnseenOptions {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly detached: true
}

/** What to tell when git, or a hook, could not even be started. */
export function notStarted(error: Error, program = 'git'): Fatal {
  return new Fatal(`cannot run '${program}': ${error.message}`, {
    hint: program === 'git' ? 'check that Git is installed and on your PATH' : undefined,
    cause: error,
  })
}

interface Invocation {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly input?: string | Uint8Array | undefined
}

function run(args: readonly string[], { cwd, env, input }: Invocation): Promise<GitResult> {
  return new Promise((resolve, reject) => {
    // A pipe that nothing goes through would cost a pair of sockets.
    const stdin = input === undefined ? 'ignore' : 'pipe'
    const child = spawn('git', args, { ...unseen({ cwd, env }), stdio: [stdin, 'pipe', 'pipe'] })
    const out: Buffer[] = []
    const err: Buffer[] = []
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', error => reject(notStarted(error)))
    child.on('close', code =>
      resolve({ code: code ?? -1, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }),
    )
    // A command that ends before it has read everything tells why in its exit code.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

/** Git's reason for a failure, and the advice that it gives with it. */
function explain(stderr: string): { reason: string | undefined; advice: string | undefined } {
  const lines = stderr.trim().split('\n')
  const at = Math.max(
    0,
    lines.findIndex(line => /^(?:fatal|error): /.test(line)),
  )
  const said = lines[at]?.replace(/^(?:fatal|error): /, '').trim()
  // What a hook says comes before what git says about it, once for each state that it is asked about.
  const reason =
    said?.endsWith('aborted by hook') && at > 0
      ? `${said}: ${[...new Set(lines.slice(0, at))].join(' ')}`
      : said
  const advice = lines
    .slice(at + 1)
    .join('\n')
    .trim()
  return { reason: reason || undefined, advice: advice || undefined }
}
