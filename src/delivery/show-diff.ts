/** A plan as git shows it: one diff for all hosts, so that git pages once and counts everything. */
import type { ColorWhen } from '../command.ts'
import type { Context } from '../context.ts'
import { gitTTY, type Repository } from '../git/git.ts'
import { makeTree, writeTrees } from '../git/tree-object.ts'
import type { Oid } from '../plan/names.ts'
import type { HostPlan, Plan } from '../plan/plan.ts'
import type { Env } from '../terminal/terminal.ts'

/** Only what git cannot know: NO_COLOR, and our --color. */
export function diffColor(asked: ColorWhen | null, configured: string | null, env: Env): string[] {
  if (asked !== null && asked !== 'auto') return [`--color=${asked}`]
  return env['NO_COLOR'] && configured !== 'always' ? ['--color=never'] : []
}

interface DiffArguments {
  readonly options: readonly string[]
  /** Empty for all. */
  readonly paths: readonly string[]
}

/** Resolves to git's exit code. */
export async function showDiff(
  plan: Plan,
  repo: Repository,
  { terminal, json }: Context,
  { options, paths }: DiffArguments,
): Promise<number> {
  const trees = [sideOf(plan, repo, ({ fromTree }) => fromTree), sideOf(plan, repo, ({ toTree }) => toTree)]
  await writeTrees(repo, trees)
  const [from, to] = trees.map(tree => tree.oid)
  // Ctrl-C belongs to the pager, which stops a search with it.
  const release = terminal.onInterrupt(() => {})
  try {
    // From the root: paths are those of the two trees, not of the current directory.
    const root = repo.topLevel ?? repo.gitDir
    return await gitTTY(repo, ['-C', root, 'diff', ...options, from!, to!, '--', ...paths], {
      stdout: json ? 'stderr' : 'stdout',
    })
  } finally {
    release()
  }
}

/** A tree `<host>/<app>/…` of one side of the plan. */
function sideOf({ hosts }: Plan, { format }: Repository, treeOf: (host: HostPlan) => Oid | null) {
  const entries = hosts.flatMap(host => {
    const oid = treeOf(host)
    return oid === null ? [] : [{ mode: '40000', name: host.host, oid } as const]
  })
  return makeTree(entries, format)
}
