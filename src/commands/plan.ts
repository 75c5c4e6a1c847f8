import type { CommandOf } from '../command.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { renderPlan } from '../terminal/plan.ts'
import { shortPlan } from '../terminal/short-plan.ts'
import type { Context } from './context.ts'
import { planOffline } from './plan-offline.ts'

/** `git deploy plan`: shows what a deployment would change. */
export async function plan(command: CommandOf<'plan'>, context: Context): Promise<ExitCode> {
  const { plan, source, color, config } = await planOffline(command, context)
  const { terminal } = context
  const colors = terminal.colors(command.color ?? color)
  const look = { colors, columns: terminal.columns, verbose: command.verbose, abbrev: config.abbrev }
  terminal.out((command.short ? shortPlan(plan, look) : renderPlan(plan, source, look)).join('\n'))
  return command.exitCode && plan.hosts.length + plan.leaving.length > 0 ? EXIT.pending : EXIT.done
}
