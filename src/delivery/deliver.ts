/** The path of every plan that is carried out: it is shown, agreed to, and carried out. */
import type { DeployOptions } from '../command.ts'
import type { Context } from '../context.ts'
import { EXIT, type ExitCode, Fatal } from '../errors.ts'
import type { Plan } from '../plan/plan.ts'
import { isFinding, isSuperseded } from '../plan/taken-back.ts'
import { wavesOf } from '../plan/waves.ts'
import { digestOf } from '../planning/digest-of.ts'
import type { Planned } from '../planning/planned.ts'
import type { Connections } from '../remote/connections.ts'
import { ask, inputOf } from '../terminal/prompt.ts'
import { question } from '../terminal/text/plan.ts'
import { remediesFor, takenBackSummary } from '../terminal/text/taken-back.ts'
import { carryOut, type DeliveryOptions } from './carry-out.ts'
import { connectAhead } from './connect-ahead.ts'
import { refuseUnsettled, stopTracking } from './nothing-to-do.ts'
import { reporterFor } from './reporter.ts'
import { diffColor, showDiff } from './show-diff.ts'

/** `early`: connections that were begun before. Closes them. */
export async function deliver(
  planned: Planned,
  options: DeliveryOptions,
  context: Context,
  early?: Connections,
): Promise<ExitCode> {
  const { plan, source, config } = planned
  const { terminal } = context
  const color = options.color ?? config.color
  const reporter = reporterFor({ ...options, color, short: false, abbrev: config.abbrev }, context)
  reporter.plan({ plan, source, saved: options.saved ?? null, digest: digestOf })
  if (options.dryRun) return EXIT.done
  if (plan.hosts.length === 0) {
    await stopTracking(planned, context)
    refuseUnsettled(plan)
    return EXIT.done
  }
  terminal.out('')
  if (options.yes && !options.force && plan.takenBack.some(isFinding)) {
    if (options.waitMs > 0 && isCommitted(source) && isSuperseded(plan)) return superseded(plan, context)
    refuseTakenBack(plan)
  }
  if (!options.yes) inputOf(terminal)

  const hosts = plan.hosts.map(({ host }) => host)
  const connections = early ?? connectAhead(hosts, planned, options, context)
  try {
    if (!options.yes && (await agree(planned, options, context)) === 'no') return decline(context)
    return await carryOut(planned, options, { connections, reporter }, context)
  } finally {
    connections.close()
    planned.objects.close()
  }
}

/** Whether all that would be deployed is in one commit. */
function isCommitted(source: Planned['source']): boolean {
  return source.kind === 'revision' || (source.kind === 'worktree' && !source.dirty)
}

/** Another has deployed a later commit meanwhile: there is nothing left to wait for. */
function superseded({ cluster }: Plan, { terminal }: Context): ExitCode {
  terminal.note(`superseded: the hosts of '${cluster}' run a newer commit already; nothing was changed`)
  return EXIT.done
}

function refuseTakenBack({ cluster, takenBack }: Plan): never {
  throw new Fatal(`cannot deploy '${cluster}': ${takenBackSummary(takenBack)}`, {
    hint: [...remediesFor(takenBack), 'to take them back, add --force'].join('\n'),
  })
}

function agree(
  { plan, repo, config }: Planned,
  { color, batch }: DeployOptions,
  context: Context,
): Promise<'yes' | 'no'> {
  const options = diffColor(color, config.color, context.env)
  return ask(
    question(plan, wavesOf(plan.hosts, batch).length),
    () => showDiff(plan, repo, context, { options, paths: [] }),
    context.terminal,
  )
}

function decline({ terminal, emit }: Context): ExitCode {
  terminal.note('not deployed')
  emit({ type: 'error', message: 'not deployed', hint: null, exitCode: EXIT.declined })
  return EXIT.declined
}
