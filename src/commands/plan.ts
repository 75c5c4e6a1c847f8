import type { CommandOf } from '../command.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { renderPlan } from '../terminal/plan.ts'
import type { Context } from './context.ts'
import { planOffline } from './plan-offline.ts'

/** `git deploy plan`: shows what a deployment would change. */
export async function plan(command: CommandOf<'plan'>, context: Context): Promise<ExitCode> {
  const { plan, source, color } = await planOffline(command, context)
  const { terminal } = context
  const colors = terminal.colors(command.color ?? color)
  const { verbose } = command
  terminal.out(renderPlan(plan, source, { colors, columns: terminal.columns, verbose }).join('\n'))
  return command.exitCode && plan.hosts.length > 0 ? EXIT.pending : EXIT.done
}
