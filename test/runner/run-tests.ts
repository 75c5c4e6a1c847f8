import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ALLOWED_SKIPS } from '../allowed-skips.ts'
import { ANY_REASON, closingWords, type LeftOut } from './closing-words.ts'

const SKIP_REPORTER = fileURLToPath(new URL('skip-reporter.mjs', import.meta.url))

/**
 * Runs the tests of these files, says after the runner's own summary what was left out, and returns the exit code. In
 * CI it is 1 where a test was skipped for a reason that test/allowed-skips.ts does not have.
 */
export function runTests(
  files: readonly string[],
  { env, timeoutMs }: { readonly env: NodeJS.ProcessEnv; readonly timeoutMs: number },
): number {
  const directory = mkdtempSync(join(tmpdir(), 'git-deploy-run-'))
  try {
    const skips = join(directory, 'skips')
    const status = runNode(
      ['--import', 'tsx', '--test', ...runnerOptions(skips), `--test-timeout=${timeoutMs}`, ...files],
      env,
    )
    const allowed = isCi(env) ? ALLOWED_SKIPS : ANY_REASON
    const { lines, refused } = closingWords(readSkips(skips), { allowed })
    // The lines are comments in TAP, too.
    for (const line of lines) console.log(process.stdout.isTTY ? line : `# ${line}`)
    return status === 0 && refused ? 1 : status
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function runNode(args: readonly string[], env: NodeJS.ProcessEnv): number {
  const { status, error } = spawnSync(process.execPath, args, { stdio: 'inherit', env })
  if (error !== undefined) throw error
  return status ?? 1
}

function runnerOptions(skips: string): string[] {
  // One file more at a time than there are processors: tests on hosts mostly wait.
  const concurrency = availableParallelism() + 1
  const reporters = [
    [process.stdout.isTTY ? 'spec' : 'tap', 'stdout'],
    [SKIP_REPORTER, skips],
  ].flatMap(([reporter, to]) => [`--test-reporter=${reporter}`, `--test-reporter-destination=${to}`])
  return [`--test-concurrency=${concurrency}`, ...reporters]
}

function isCi({ CI = '' }: NodeJS.ProcessEnv): boolean {
  return !['', '0', 'false'].includes(CI)
}

/** There are none where the runner did not begin, as with a file that does not exist. */
function readSkips(file: string): LeftOut[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map(line => JSON.parse(line) as LeftOut)
}
