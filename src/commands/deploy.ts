import type { CommandOf } from '../command.ts'
import { deploymentId } from '../deployment-id.ts'
import { EXIT, type ExitCode, Fatal } from '../errors.ts'
import { operatorName } from '../git/history.ts'
import { rollout } from '../rollout.ts'
import type { Ends } from '../rollout-events.ts'
import { eventLines } from '../terminal/events.ts'
import { question, renderPlan } from '../terminal/plan.ts'
import { ask } from '../terminal/prompt.ts'
import { Connections } from './connections.ts'
import type { Context } from './context.ts'
import { showDiff } from './diff.ts'
import { makeJobs } from './jobs.ts'
import { type Offline, planOffline } from './plan-offline.ts'
import { reach } from './reach.ts'
import { record } from './record.ts'

/** `git deploy`: shows the plan, asks, carries it out on all hosts, records what they run then. */
export async function deploy(command: CommandOf<'deploy'>, context: Context): Promise<ExitCode> {
  const offline = await planOffline(command, context)
  const { plan, source, color } = offline
  const { terminal } = context
  const colors = terminal.colors(command.color ?? color)
  const { verbose } = command
  terminal.out(renderPlan(plan, source, { colors, columns: terminal.columns, verbose }).join('\n'))
  if (plan.hosts.length === 0 || command.dryRun) return EXIT.done
  terminal.out('')

  const connections = new Connections(reach(offline, context))
  try {
    if (command.yes || offline.config.preconnect) connections.warm(plan.hosts.map(({ host }) => host))
    if (!command.yes && (await agree(offline, context)) === 'no') {
      terminal.note('not deployed')
      return EXIT.declined
    }
    return await carryOut(offline, connections, context)
  } finally {
    connections.close()
    offline.objects.close()
  }
}

function agree({ plan, repo }: Offline, context: Context): Promise<'yes' | 'no'> {
  return ask(question(plan), () => showDiff(plan, repo, context), context.terminal)
}

async function carryOut(offline: Offline, connections: Connections, context: Context): Promise<ExitCode> {
  const { terminal, ticks } = context
  const { repo, config, plan, color } = offline
  const started = ticks()
  const id = deploymentId(context.now(), context.random)
  const jobs = await makeJobs(offline, id)
  const colors = terminal.colors(color)
  const interrupt = new AbortController()
  const release = terminal.onInterrupt(() => {
    release() // A second Ctrl-C ends the program; the hosts then undo by themselves.
    terminal.note('interrupted: the hosts are asked to undo; Ctrl-C again leaves at once')
    interrupt.abort()
  })
  try {
    const ends = await rollout({
      id,
      operator: await operatorName(repo),
      jobs,
      parallel: config.jobs,
      confirmMs: config.confirmTimeoutMs,
      connect: host => connections.take(host),
      signal: interrupt.signal,
      emit: event => {
        for (const line of eventLines(event, colors)) terminal.note(line)
      },
      ticks,
    })
    await record(offline, jobs, ends, id)
    const seconds = ((ticks() - started) / 1000).toFixed(2)
    return conclude(ends, `${plan.cluster} in ${seconds} s (${id})`, context)
  } finally {
    release()
  }
}

function conclude(ends: Ends, what: string, { terminal }: Context): ExitCode {
  const all = [...ends.values()]
  const held = all.filter(end => end.kind === 'held').length
  if (held === all.length) {
    terminal.out(`deployed to ${all.length} host${all.length === 1 ? '' : 's'} of ${what}`)
    return EXIT.done
  }
  const named = (kind: string) => [...ends].filter(([, end]) => end.kind === kind).map(([host]) => host)
  const unknown = named('unknown')
  if (unknown.length > 0)
    throw new Fatal(`cannot tell how the deployment ended on ${unknown.join(', ')}`, {
      hint: 'such a host undoes what is not confirmed in time; run the same command again to see',
      exitCode: EXIT.unknown,
    })
  const undone = named('undone')
  if (held + undone.length === 0)
    throw new Fatal(`cannot deploy to ${what}: no host was changed`, { exitCode: EXIT.failed })
  throw new Fatal(
    undone.length === all.length
      ? `rolled back on ${undone.join(', ')}: ${undone.length === 1 ? 'it runs' : 'they run'} what ran before`
      : `deployed to ${held} of ${all.length} hosts, rolled back on ${undone.join(', ')}`,
    { exitCode: EXIT.partial },
  )
}
