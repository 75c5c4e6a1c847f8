import type { Context } from '../context.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { changedClusters } from '../planning/changed-clusters.ts'
import { planOffline } from '../planning/plan-tree.ts'
import { beginReading } from '../planning/repository-state.ts'
import { shellWord } from '../terminal/shell-word.ts'
import { shortPlan } from '../terminal/text/short-plan.ts'

/** What the post-commit hook shows (hooks/post-commit): nothing, unless the commit touches a cluster. */
export async function postCommit(context: Context): Promise<ExitCode> {
  const reading = beginReading(context)
  const clusters = await changedClusters(context, reading, 'HEAD')
  const { terminal } = context
  for (const cluster of clusters) {
    const { plan, config, objects } = await planOffline(
      { cluster, rev: 'HEAD', orDisk: true },
      context,
      reading,
    )
    objects.close()
    // Of the terminal, git gives a hook only stderr.
    const look = { colors: terminal.noteColors(config.color), columns: terminal.columns, verbose: false }
    for (const line of shortPlan(plan, look)) terminal.note(line)
    if (plan.hosts.length > 0) terminal.note(`to deploy: git deploy ${shellWord(cluster)}`)
  }
  return EXIT.done
}
