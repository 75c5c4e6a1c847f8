import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { deliver } from '../delivery/deliver.ts'
import { type ExitCode, Fatal, reasonOf } from '../errors.ts'
import { differences } from '../planning/differences.ts'
import { planOffline } from '../planning/plan-tree.ts'
import type { Planned } from '../planning/planned.ts'
import { decodeSavedPlan, type SavedPlan } from '../planning/saved-plan.ts'
import { printable } from '../terminal/clean.ts'

/** `git deploy apply`: carries out a saved plan, exactly that one, once. */
export async function apply(command: CommandOf<'apply'>, context: Context): Promise<ExitCode> {
  const saved = parse(command.file, await read(command.file, context))
  const planned = await planOffline({ cluster: null, rev: null, saved }, context)
  await refuseDifferent(saved, planned, context)
  const { id, at, by } = saved
  return deliver(planned, { ...command, saved: { id, at, by } }, context)
}

async function read(file: string, { cwd, terminal }: Context): Promise<string> {
  if (file === '-') return terminal.readAll()
  try {
    return readFileSync(resolve(cwd, file), 'utf8')
  } catch (error) {
    throw new Fatal(`cannot read the plan '${file}': ${reasonOf(error)}`, { cause: error })
  }
}

function parse(file: string, content: string): SavedPlan {
  const decoded = decodeSavedPlan(content)
  if (decoded.kind === 'plan') return decoded.plan
  const name = file === '-' ? 'the plan on stdin' : `the plan '${file}'`
  throw new Fatal(`cannot read ${name}: ${printable(decoded.why)}`, {
    hint: "run 'git deploy plan -o <file>' to save one",
  })
}

async function refuseDifferent(saved: SavedPlan, planned: Planned, context: Context): Promise<void> {
  const found = await differences(saved, planned, context.version)
  if (found.length === 0) return
  for (const { host, what: message } of found) {
    context.terminal.note(`error: ${host}: ${message}`)
    const nowhere = { file: null, line: null, column: null, hint: null }
    context.emit({ type: 'problem', severity: 'error', host, message, ...nowhere })
  }
  const behind = found.some(({ kind }) => kind === 'behind')
  throw new Fatal(`cannot apply plan ${saved.id}: it is not what git-deploy would deploy now`, {
    hint: behind
      ? `run 'git deploy sync ${saved.cluster}' or 'git fetch <remote> "+refs/deptool/*:refs/deptool/*"' to fetch what others have deployed`
      : `run 'git deploy plan -o <file> ${saved.cluster}' to save a new plan`,
  })
}
