import type { Context } from '../context.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { changedClusters } from '../planning/changed-clusters.ts'
import { askGit, planOffline } from '../planning/plan-offline.ts'
import { shellWord } from '../terminal/shell-word.ts'
import { shortPlan } from '../terminal/text/short-plan.ts'

/** What the post-commit hook shows (hooks/post-commit): nothing, unless the commit touches a cluster. */
export async function postCommit(context: Context): Promise<ExitCode> {
  // Git starts a hook at the top of the working tree.
  const asked = askGit(context)
  const clusters = await changedClusters(context, asked, 'HEAD')
  const { terminal } = context
  for (const cluster of clusters) {
    const { plan, config, objects } = await planOffline({ cluster, rev: 'HEAD' }, context, { asked })
    objects.close()
    // Git gives a hook the terminal as stderr alone.
    const look = { colors: terminal.noteColors(config.color), columns: terminal.columns, verbose: false }
    for (const line of shortPlan(plan, look)) terminal.note(line)
    if (plan.hosts.length > 0) terminal.note(`to deploy: git deploy ${shellWord(cluster)}`)
  }
  return EXIT.done
}
