import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { reporterFor } from '../delivery/reporter.ts'
import { EXIT, type ExitCode, Fatal, reasonOf } from '../errors.ts'
import { readOperator } from '../git/history.ts'
import { newDeploymentId } from '../plan/deployment-id.ts'
import { digestOf } from '../planning/digest-of.ts'
import { planOffline } from '../planning/plan-tree.ts'
import type { Planned } from '../planning/planned.ts'
import { encodeSavedPlan, FORMAT, type SavedPlan } from '../planning/saved-plan.ts'
import { shellWord } from '../terminal/shell-word.ts'

/** `git deploy plan`: shows what a deployment would change, and saves it where that is asked for. */
export async function plan(command: CommandOf<'plan'>, context: Context): Promise<ExitCode> {
  const planned = await planOffline(command, context)
  const { plan, source, config } = planned
  const { verbose, short, output } = command
  const color = command.color ?? config.color
  const options = { color, verbose, short, abbrev: config.abbrev, progress: false }
  const reporter = reporterFor(options, output === '-' ? onStderr(context) : context)
  reporter.plan({ plan, source, saved: null, digest: digestOf })
  if (output !== null) save(await savedPlan(planned, context), output, context)
  const pending = plan.hosts.length + plan.leaving.length + plan.unsettled.length > 0
  return command.exitCode && pending ? EXIT.pending : EXIT.done
}

/** Stdout is for the saved plan, so text for people goes to stderr. */
function onStderr(context: Context): Context {
  const { terminal } = context
  return { ...context, terminal: { ...terminal, out: terminal.note, colors: terminal.noteColors } }
}

async function savedPlan({ repo, cluster, source, plan }: Planned, context: Context): Promise<SavedPlan> {
  if (source.kind === 'rollback' || source.kind === 'recorded')
    throw new Error('only a plan for a config tree can be saved')
  const now = context.now()
  return {
    format: FORMAT,
    id: newDeploymentId(now, context.random),
    at: `${now.toISOString().slice(0, 19)}Z`,
    // Planning needs no identity; only deploying does.
    by: await readOperator(repo).catch(() => null),
    version: context.version,
    cluster: cluster.path,
    source: savedSource(source),
    hosts: plan.hosts.map(host => ({
      host: host.host,
      from: host.from,
      toTree: host.toTree,
      digest: digestOf(host),
    })),
    leaving: plan.leaving,
  }
}

function savedSource(source: SavedPlan['source']): SavedPlan['source'] {
  if (source.kind === 'revision') return source
  const { kind, commit, branch, dirty } = source
  return { kind, commit, branch, dirty }
}

function save(plan: SavedPlan, output: string, { cwd, terminal, emit }: Context): void {
  const content = encodeSavedPlan(plan)
  if (output === '-') {
    terminal.out(content.trimEnd())
    return
  }
  try {
    writeFileSync(resolve(cwd, output), content)
  } catch (error) {
    throw new Fatal(`cannot save the plan in '${output}': ${reasonOf(error)}`, { cause: error })
  }
  emit({ type: 'saved', file: output, id: plan.id, hosts: plan.hosts.length })
  terminal.note(`saved in '${output}'; to deploy it: git deploy apply ${shellWord(output)}`)
}
