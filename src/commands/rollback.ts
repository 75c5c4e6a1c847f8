import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { deliver } from '../delivery/deliver.ts'
import type { ExitCode } from '../errors.ts'
import { planRollback } from '../planning/plan-rollback.ts'

/** `git deploy rollback`: a deployment like any other, of what ran before the last one. */
export async function rollback(command: CommandOf<'rollback'>, context: Context): Promise<ExitCode> {
  return deliver(await planRollback(command, context), command, context)
}
