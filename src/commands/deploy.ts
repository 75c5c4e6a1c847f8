import type { CommandOf } from '../command.ts'
import { deploymentId } from '../deployment-id.ts'
import { EXIT, type ExitCode, Fatal } from '../errors.ts'
import { operatorName } from '../git/history.ts'
import type { ClusterName, HostName } from '../plan/names.ts'
import type { DeploymentId } from '../protocol/messages.ts'
import { rollout } from '../rollout.ts'
import type { Ends, HostEnd } from '../rollout-events.ts'
import { names } from '../terminal/names.ts'
import { question, renderPlan } from '../terminal/plan.ts'
import { makeProgress } from '../terminal/progress.ts'
import { ask, inputOf } from '../terminal/prompt.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { Connections } from './connections.ts'
import type { Context } from './context.ts'
import { diffColor, showDiff } from './diff.ts'
import { makeJobs } from './jobs.ts'
import { moveRefs } from './move-refs.ts'
import { afterDeploy, beforeDeploy, isGuarded } from './operator-hooks.ts'
import { type Offline, planOffline } from './plan-offline.ts'
import { reach } from './reach.ts'
import { emptied, record, recordAhead } from './record.ts'
import { tellStale } from './stale.ts'

/** `git deploy`: shows the plan, asks, carries it out on all hosts, records what they run then. */
export async function deploy(command: CommandOf<'deploy'>, context: Context): Promise<ExitCode> {
  let early: Connections | undefined
  try {
    const offline = await planOffline(command, context, (hosts, known) => {
      if (command.dryRun || !(command.yes || context.terminal.input)) return
      early ??= new Connections(reach(known, context))
      callAhead(early, hosts, command, known).catch(() => {
        // Then they are called when it is time, and whatever it is, is met again.
      })
    })
    return await offer(offline, command, context, early)
  } finally {
    early?.close()
  }
}

export type Accepting = Pick<
  CommandOf<'deploy'>,
  'yes' | 'dryRun' | 'verify' | 'adopt' | 'verbose' | 'progress' | 'color'
>

/** Not where a hook may refuse the deployment, or somebody wants no host called before they agree. */
async function callAhead(
  connections: Connections,
  hosts: readonly HostName[],
  command: Accepting,
  { repo, config }: Pick<Offline, 'repo' | 'config'>,
): Promise<void> {
  if (!command.yes && !config.preconnect) return
  if (!(command.verify && (await isGuarded(repo)))) connections.warm(hosts)
}

/** What every plan goes through that is carried out, wherever it leads. */
export async function offer(
  offline: Offline,
  command: Accepting,
  context: Context,
  early?: Connections,
): Promise<ExitCode> {
  const { plan, source, objects, config } = offline
  const { terminal } = context
  const color = command.color ?? offline.color
  const look = {
    colors: terminal.colors(color),
    columns: terminal.columns,
    verbose: command.verbose,
    abbrev: config.abbrev,
  }
  terminal.out(renderPlan(plan, source, look).join('\n'))
  if (command.dryRun) return EXIT.done
  if (plan.hosts.length === 0) return stopTracking(offline, context)
  terminal.out('')
  if (!command.yes) inputOf(terminal)

  const connections = early ?? new Connections(reach(offline, context))
  try {
    const hosts = plan.hosts.map(({ host }) => host)
    if (!early) await callAhead(connections, hosts, command, offline)
    if (!command.yes && (await agree(command, offline, context)) === 'no') {
      terminal.note('not deployed')
      return EXIT.declined
    }
    return await carryOut(offline, connections, { ...command, color }, context)
  } finally {
    connections.close()
    objects.close()
  }
}

/** No host has anything to do, and of those that have left the tree none has apps. */
async function stopTracking(offline: Offline, { terminal }: Context): Promise<ExitCode> {
  const moves = emptied(offline)
  if (moves.length === 0) return EXIT.done
  const names = moves.map(({ host }) => host).join(', ')
  const account = { cluster: offline.plan.cluster, source: null, deployment: null, body: '' }
  await moveRefs(offline.repo, moves, { ...account, subject: `forget ${names}`, message: 'forget' })
  terminal.out(`forgot ${names}`)
  return EXIT.done
}

function agree(command: Accepting, { plan, repo, color }: Offline, context: Context): Promise<'yes' | 'no'> {
  const options = diffColor(command.color, color, context.env)
  return ask(question(plan), () => showDiff(plan, repo, context, { options, paths: [] }), context.terminal)
}

/** What the command line and the configuration say about carrying out. */
type Chosen = Pick<Accepting, 'verify' | 'adopt' | 'progress'> & { readonly color: string | null }

async function carryOut(
  offline: Offline,
  connections: Connections,
  { verify, adopt, progress: live, color }: Chosen,
  context: Context,
): Promise<ExitCode> {
  const { terminal, ticks } = context
  const { repo, config, plan } = offline
  const at = context.now().getTime()
  const took = new Map<HostName, number>()
  const id = deploymentId(context.now(), context.random)
  const [jobs, operator] = await Promise.all([makeJobs(offline, id), operatorName(repo)])
  const deploying = { repo, plan, verify, id, jobs }
  await beforeDeploy(deploying, terminal)
  const started = ticks()
  const interrupt = new AbortController()
  const release = terminal.onInterrupt(() => {
    release() // A second Ctrl-C ends the program; the hosts then undo by themselves.
    terminal.note('interrupted: the hosts are asked to undo; Ctrl-C again leaves at once')
    interrupt.abort()
  })
  const working = jobs.map(({ plan }) => plan.host)
  const progress = makeProgress(terminal, terminal.noteColors(color), working, { plain: !live, ticks })
  const ahead = recordAhead(offline, { id, jobs }).catch(() => {
    // Whatever it is, `record` meets it too, and tells.
  })
  try {
    const ends = await rollout({
      id,
      operator,
      jobs,
      parallel: config.jobs,
      confirmMs: config.confirmTimeoutMs,
      adopt,
      connect: host => connections.take(host),
      signal: interrupt.signal,
      emit: event => {
        took.set(event.host, event.ms)
        progress.event(event)
      },
      ticks,
    }).finally(() => progress.end())
    const ms = ticks() - started
    await ahead
    await record(offline, { id, operator, at, jobs, ends, took })
    release()
    await afterDeploy(deploying, ends, terminal)
    const stale = await tellStale(offline, ends, {
      terminal,
      colors: terminal.noteColors(color),
      connect: host => connections.take(host),
    })
    return conclude(ends, { cluster: plan.cluster, id, ms, stale }, terminal)
  } finally {
    release()
  }
}

interface Carried {
  readonly cluster: ClusterName
  readonly id: DeploymentId
  readonly ms: number
  /** Hosts that were not where the plan started from. */
  readonly stale: readonly HostName[]
}

/** The last line, and the exit code: what an operator, or a script, goes by. */
function conclude(ends: Ends, { cluster, id, ms, stale }: Carried, terminal: Terminal): ExitCode {
  const named = (kind: HostEnd['kind']) =>
    [...ends].filter(([, end]) => end.kind === kind).map(([host]) => host)
  const [held, undone, unknown] = [named('held'), named('undone'), named('unknown')]
  if (held.length === ends.size) {
    terminal.out(`deployed to ${hosts(held.length)} in '${cluster}' in ${(ms / 1000).toFixed(2)} s (${id})`)
    return EXIT.done
  }
  if (unknown.length > 0)
    throw new Fatal(`cannot tell how deployment ${id} ended on ${names(unknown, FEW)}`, {
      hint: 'a host undoes by itself what is not confirmed in time; run the same command again to see',
      exitCode: EXIT.unknown,
    })
  if (held.length + undone.length === 0 && stale.length > 0)
    throw new Fatal(`cannot deploy '${cluster}': ${stale.join(', ')} had changed; no host was changed now`, {
      hint: 'run the same command again: its plan starts from what runs there now',
    })
  if (held.length + undone.length === 0) throw new Fatal(`cannot deploy '${cluster}': no host was changed`)
  const what = held.length === 0 ? '' : `deployed to ${held.length} of ${hosts(ends.size)}, but `
  const back = undone.length === 1 ? 'it runs what ran before' : 'they run what ran before'
  throw new Fatal(`${what}rolled back on ${names(undone, FEW)}: ${back}`, {
    hint: [...ends.values()].some(gaveCause) ? CORRECT : undefined,
    exitCode: EXIT.partial,
  })
}

const CORRECT = 'correct the cause and run the same command again: what holds is left alone'

/** Not where it was taken back on request. */
function gaveCause(end: HostEnd): boolean {
  return end.kind === 'undone' && end.failure.step !== null
}

/** So many hosts are named in the last line; all of them are above. */
const FEW = 5

function hosts(count: number): string {
  return `${count} host${count === 1 ? '' : 's'}`
}
