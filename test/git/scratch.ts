/** Throw-away repositories for the tests of this folder. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { openRepository, type Repository } from '../../src/git/git.ts'
import { ObjectReader } from '../../src/git/objects.ts'
import { clusterName, type HostName, hostName, must, type Oid, oid } from '../../src/plan/names.ts'
import { parseTree } from '../../src/plan/tree.ts'

export const prod = must(clusterName, 'prod')
export const host = (name: string): HostName => must(hostName, name)

export interface Scratch {
  readonly dir: string
  readonly env: NodeJS.ProcessEnv
  git(...args: string[]): string
  /** Contents by path; a function makes what is no plain file. */
  write(files: Record<string, string | Uint8Array | ((path: string) => void)>): void
  commit(message: string): Oid
  /** Another repository or worktree in the same place, made by the test. */
  beside(name: string): Scratch
  open(cwd?: string, env?: NodeJS.ProcessEnv): Promise<Repository>
  reader(repo: Repository): ObjectReader
}

export interface ScratchOptions {
  readonly init?: readonly string[]
  readonly name?: string
}

/** A repository that is gone when the test ends, and that nobody's own git configuration reaches. */
export function makeScratch(t: TestContext, { init = [], name = 'repo' }: ScratchOptions = {}): Scratch {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'git-deploy-')))
  t.after(() => rmSync(base, { recursive: true, force: true }))
  const dir = join(base, name)
  mkdirSync(dir)
  const scratch = scratchIn(t, dir, cleanEnv(base))
  scratch.git('init', '--quiet', '--initial-branch=main', ...init)
  return scratch
}

function scratchIn(t: TestContext, dir: string, env: NodeJS.ProcessEnv): Scratch {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: dir,
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trimEnd()
  return {
    dir,
    env,
    git,
    write(files) {
      for (const [path, content] of Object.entries(files)) {
        const full = join(dir, path)
        mkdirSync(dirname(full), { recursive: true })
        if (typeof content === 'function') content(full)
        else writeFileSync(full, content)
      }
    },
    commit(message) {
      git('add', '--all')
      git('commit', '--quiet', '--allow-empty', '-m', message)
      return must(oid, git('rev-parse', 'HEAD'))
    },
    beside: name => scratchIn(t, join(dir, '..', name), env),
    open: (cwd = dir, extra = {}) =>
      openRepository({ cwd, env: { ...env, ...extra }, now: () => new Date(), random: randomBytes }),
    reader(repo) {
      const reader = new ObjectReader(repo)
      t.after(() => reader.close())
      return reader
    },
  }
}

export const link = (target: string) => (path: string) => symlinkSync(target, path)
export const directory = (path: string) => mkdirSync(path)
export const executable = (content: string) => (path: string) => {
  writeFileSync(path, content)
  chmodSync(path, 0o755)
}

/** All files of a tree as `mode path` -> content, read through our own reader. */
export async function readFiles(
  reader: ObjectReader,
  tree: Oid,
  prefix = '',
): Promise<Record<string, string>> {
  const found = await reader.readTyped(tree)
  const files: Record<string, string> = {}
  for (const entry of parseTree(found!.content, tree.length / 2)) {
    if (entry.kind === 'tree')
      Object.assign(files, await readFiles(reader, entry.oid, `${prefix}${entry.name}/`))
    else if (entry.kind === 'file') {
      const blob = await reader.readTyped(entry.oid)
      files[`${entry.mode} ${prefix}${entry.name}`] = Buffer.from(blob!.content).toString('latin1')
    }
  }
  return files
}

function cleanEnv(home: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))
  return {
    ...Object.fromEntries(own),
    HOME: home,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ada Lovelace',
    GIT_AUTHOR_EMAIL: 'ada@example.org',
    GIT_COMMITTER_NAME: 'Ada Lovelace',
    GIT_COMMITTER_EMAIL: 'ada@example.org',
  }
}
