import { EXIT, type ExitCode } from '../errors.ts'
import type { Repository } from '../git/git.ts'
import { shortPlan } from '../terminal/short-plan.ts'
import { changedClusters } from './changed-clusters.ts'
import type { Context } from './context.ts'
import { planOffline } from './plan-offline.ts'

/** What the post-commit hook shows (hooks/post-commit): nothing, unless the commit touches a cluster. */
export async function postCommit(repo: Repository, context: Context): Promise<ExitCode> {
  const clusters = await changedClusters(repo, 'HEAD')
  const { terminal } = context
  const top = { ...context, cwd: repo.topLevel ?? repo.cwd, env: repo.env }
  for (const cluster of clusters) {
    const { plan, color, objects } = await planOffline({ cluster, rev: 'HEAD' }, top)
    objects.close()
    // Git gives a hook the terminal as stderr alone.
    const look = { colors: terminal.noteColors(color), columns: terminal.columns, verbose: false }
    for (const line of shortPlan(plan, look)) terminal.note(line)
    if (plan.hosts.length > 0) terminal.note(`to deploy: git deploy ${shellWord(cluster)}`)
  }
  return EXIT.done
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
