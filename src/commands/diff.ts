import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { diffColor, showDiff } from '../delivery/show-diff.ts'
import { EXIT, type ExitCode, Fatal } from '../errors.ts'
import type { Plan } from '../plan/plan.ts'
import { planOffline } from '../planning/plan-tree.ts'

/** `git deploy diff`: git's own diff of what a deployment would change. */
export async function diff(command: CommandOf<'diff'>, context: Context): Promise<ExitCode> {
  const { plan, repo, objects, config } = await planOffline(command, context)
  objects.close()
  if (context.json) return emitFiles(plan, context)
  const options = [...diffColor(null, config.color, context.env), ...command.options]
  const code = await showDiff(plan, repo, context, { options, paths: command.paths })
  // Git has already said what is wrong with its options.
  if (code === EXIT.usage) return EXIT.usage
  if (code > 1) throw new Fatal(`cannot show the diff: git exited with ${code}`)
  // With --exit-code, 1 says that there is a difference.
  return code === 1 ? EXIT.failed : EXIT.done
}

function emitFiles({ hosts }: Plan, { emit }: Context): ExitCode {
  for (const { host, apps } of hosts)
    for (const { app, files } of apps)
      for (const { path, action } of files) emit({ type: 'file', host, app, path, action })
  return EXIT.done
}
