import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import type { ExitCode } from '../errors.ts'
import { planBack } from '../planning/plan-back.ts'
import { offer } from './deploy.ts'

/** `git deploy rollback`: a deployment like any other, of what ran before the last one. */
export async function rollback(command: CommandOf<'rollback'>, context: Context): Promise<ExitCode> {
  return offer(await planBack(command, context), command, context)
}
