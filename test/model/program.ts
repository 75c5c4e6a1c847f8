/**
 * git-deploy as it is shipped, with the modelled agent inside. Its bundle runs in this process, so that thousands of
 * commands take minutes; an operator who is to be killed has a process of its own.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { type ExecuteOptions, execute, type Ran } from '../support/execute.ts'
import { shiftedDate } from '../support/shifted-clock.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const HOME = join(ROOT, 'build/model')
const MAIN = join(HOME, 'dist/main.cjs')

const PLATFORM = 'linux-x86_64'

export const AGENT = join(HOME, `dist/agent/deptool-${PLATFORM}`)

/** Builds the modelled agent, and puts the program beside it. */
export function buildProgram(): void {
  const out = ['--out', join(HOME, 'dist/agent'), '--platform', PLATFORM]
  const build = ['agent/build/build.mjs', '--entry', 'test/model/agent.ts', ...out]
  execFileSync(process.execPath, build, { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] })
  for (const file of readdirSync(join(ROOT, 'dist')).filter(name => name.endsWith('.cjs')))
    cpSync(join(ROOT, 'dist', file), join(HOME, 'dist', file))
}

/** Runs the program in a process of its own. */
export function runApart(argv: readonly string[], options: ExecuteOptions): Promise<Ran> {
  return execute([process.execPath, join(HOME, 'dist/start.cjs'), ...argv], options)
}

let script: Script | undefined

/** Runs the program in this process: all it knows of a process is what it is given. */
export function runWithin(
  argv: readonly string[],
  { cwd, env }: Required<Pick<ExecuteOptions, 'cwd' | 'env'>>,
): Promise<Ran> {
  script ??= new Script(
    `(function(exports,require,module,__filename,__dirname,process,Date){${readFileSync(MAIN, 'utf8')}\n})`,
    { filename: MAIN },
  )
  const said = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof said) => ({
    on() {},
    write(text: string) {
      said[name] += text
    },
  })
  return new Promise(resolve => {
    const own = Object.create(process, {
      argv: { value: [process.execPath, MAIN, ...argv] },
      env: { value: env },
      cwd: { value: () => cwd },
      stdin: { value: Readable.from([]) },
      stdout: { value: stream('stdout') },
      stderr: { value: stream('stderr') },
      on: { value: () => own },
      off: { value: () => own },
      exitCode: { set: (code: number) => resolve({ ...said, code }) },
    })
    const module = { exports: {} }
    const clock = shiftedDate(Number(env['GIT_DEPLOY_TEST_CLOCK'] ?? 0))
    script!.runInThisContext()(
      module.exports,
      createRequire(MAIN),
      module,
      MAIN,
      join(HOME, 'dist'),
      own,
      clock,
    )
  })
}
