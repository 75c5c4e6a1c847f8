import type { ColorWhen, CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { EXIT, type ExitCode, Fatal } from '../errors.ts'
import { gitTTY, type Repository } from '../git/git.ts'
import { makeTree, writeTrees } from '../git/tree-object.ts'
import type { HostName, Oid } from '../plan/names.ts'
import type { Plan } from '../plan/plan.ts'
import { planOffline } from '../planning/plan-offline.ts'
import type { Env } from '../terminal/terminal.ts'

/** `git deploy diff`: git's own diff of what a deployment would change. */
export async function diff(command: CommandOf<'diff'>, context: Context): Promise<ExitCode> {
  const { plan, repo, objects, config } = await planOffline(command, context)
  objects.close()
  if (context.json) return emitFiles(plan, context)
  const options = [...diffColor(null, config.color, context.env), ...command.options]
  const code = await showDiff(plan, repo, context, { options, paths: command.paths })
  // With --exit-code, 1 says that there is a difference.
  // It has told what is wrong with its options.
  if (code === EXIT.usage) return EXIT.usage
  if (code > 1) throw new Fatal(`git diff ended with code ${code}`)
  return code === 1 ? EXIT.failed : EXIT.done
}

function emitFiles({ hosts }: Plan, { emit }: Context): ExitCode {
  for (const { host, apps } of hosts)
    for (const { app, files } of apps)
      for (const { path, action } of files) emit({ type: 'file', host, app, path, action })
  return EXIT.done
}

/** git knows nothing of NO_COLOR, nor of our --color; the rest of its settings is its own matter. */
export function diffColor(asked: ColorWhen | null, configured: string | null, env: Env): string[] {
  if (asked !== null && asked !== 'auto') return [`--color=${asked}`]
  return env['NO_COLOR'] && configured !== 'always' ? ['--color=never'] : []
}

export interface DiffArguments {
  readonly options: readonly string[]
  /** Empty for all. */
  readonly paths: readonly string[]
}

/** One diff for all hosts, so that git pages once and counts everything; resolves to git's exit code. */
export async function showDiff(
  plan: Plan,
  repo: Repository,
  { terminal, json }: Context,
  { options, paths }: DiffArguments = { options: [], paths: [] },
): Promise<number> {
  const trees = [fleet(plan, repo, ({ fromTree }) => fromTree), fleet(plan, repo, ({ toTree }) => toTree)]
  await writeTrees(repo, trees)
  const [from, to] = trees.map(tree => tree.oid)
  // Ctrl-C is for the pager, which uses it to stop a search.
  const release = terminal.onInterrupt(() => {})
  try {
    // The root, because paths are those of the two trees and not of a subdirectory we happen to be in.
    const root = repo.topLevel ?? repo.gitDir
    return await gitTTY(repo, ['-C', root, 'diff', ...options, from!, to!, '--', ...paths], {
      stdout: json ? 'stderr' : 'stdout',
    })
  } finally {
    release()
  }
}

interface Sides {
  readonly host: HostName
  readonly fromTree: Oid | null
  readonly toTree: Oid
}

/** A tree `<host>/<app>/…` of one side of the plan. */
function fleet({ hosts }: Plan, { format }: Repository, side: (host: Sides) => Oid | null) {
  const entries = hosts.flatMap(host => {
    const oid = side(host)
    return oid === null ? [] : [{ mode: '40000', name: host.host, oid } as const]
  })
  return makeTree(entries, format)
}
