import type { CommandOf } from '../command.ts'
import { deploymentId } from '../deployment-id.ts'
import { EXIT, type ExitCode, Fatal } from '../errors.ts'
import { operatorName } from '../git/history.ts'
import type { ClusterName, HostName } from '../plan/names.ts'
import type { DeploymentId } from '../protocol/messages.ts'
import { rollout } from '../rollout.ts'
import type { Ends, HostEnd } from '../rollout-events.ts'
import { names } from '../terminal/names.ts'
import { question } from '../terminal/plan.ts'
import { ask, inputOf } from '../terminal/prompt.ts'
import type { Conclusion, Reporter, SavedBy } from '../terminal/reporter.ts'
import { Connections } from './connections.ts'
import type { Context } from './context.ts'
import { diffColor, showDiff } from './diff.ts'
import { digestOf } from './digest-of.ts'
import { makeJobs } from './jobs.ts'
import { moveRefs } from './move-refs.ts'
import { afterDeploy, beforeDeploy, isGuarded } from './operator-hooks.ts'
import { type Offline, planOffline } from './plan-offline.ts'
import { planRepair } from './plan-repair.ts'
import { reach } from './reach.ts'
import { emptied, record } from './record.ts'
import { reporterFor } from './reporter.ts'
import { tellStale } from './stale.ts'

/** `git deploy`: shows the plan, asks, carries it out on all hosts, records what they run then. */
export async function deploy(command: CommandOf<'deploy'>, context: Context): Promise<ExitCode> {
  return offer(await (command.repair ? planRepair : planOffline)(command, context), command, context)
}

export interface Accepting
  extends Pick<
    CommandOf<'deploy'>,
    'yes' | 'dryRun' | 'verify' | 'adopt' | 'verbose' | 'progress' | 'color'
  > {
  /** Where the plan was saved before; none for a plan that was made just now. */
  readonly saved?: SavedBy
}

/** What every plan goes through that is carried out, wherever it leads. */
export async function offer(offline: Offline, command: Accepting, context: Context): Promise<ExitCode> {
  const { plan, source, objects, config } = offline
  const { terminal, emit } = context
  const { yes, verify, saved = null } = command
  const color = command.color ?? offline.color
  const reporter = reporterFor({ ...command, color, short: false, abbrev: config.abbrev }, context)
  reporter.plan({ plan, source, saved, digest: digestOf })
  if (command.dryRun) return EXIT.done
  if (plan.hosts.length === 0) return stopTracking(offline, context)
  terminal.out('')
  if (!yes) inputOf(terminal)

  const connections = new Connections(reach(offline, context))
  try {
    const guarded = verify && (await isGuarded(offline.repo))
    if (!guarded && (yes || config.preconnect)) connections.warm(plan.hosts.map(({ host }) => host))
    if (!yes && (await agree(command, offline, context)) === 'no') {
      terminal.note('not deployed')
      emit({ type: 'error', message: 'not deployed', hint: null, exitCode: EXIT.declined })
      return EXIT.declined
    }
    const id = saved?.id ?? deploymentId(context.now(), context.random)
    return await carryOut(offline, { ...command, id, color, connections, reporter }, context)
  } finally {
    connections.close()
    objects.close()
  }
}

/** No host has anything to do, and of those that have left the tree none has apps. */
async function stopTracking(offline: Offline, { terminal, emit }: Context): Promise<ExitCode> {
  const moves = emptied(offline)
  if (moves.length === 0) return EXIT.done
  const names = moves.map(({ host }) => host).join(', ')
  const account = { cluster: offline.plan.cluster, source: null, deployment: null, body: '' }
  await moveRefs(offline.repo, moves, { ...account, subject: `forget ${names}`, message: 'forget' })
  for (const { host, from } of moves) emit({ type: 'forgot', host, commit: from })
  terminal.out(`forgot ${names}`)
  return EXIT.done
}

function agree(command: Accepting, { plan, repo, color }: Offline, context: Context): Promise<'yes' | 'no'> {
  const options = diffColor(command.color, color, context.env)
  return ask(question(plan), () => showDiff(plan, repo, context, { options, paths: [] }), context.terminal)
}

interface Means {
  readonly id: DeploymentId
  readonly verify: boolean
  readonly adopt: boolean
  readonly color: string | null
  readonly connections: Connections
  readonly reporter: Reporter
}

async function carryOut(
  offline: Offline,
  { id, verify, adopt, color, connections, reporter }: Means,
  context: Context,
): Promise<ExitCode> {
  const { terminal, ticks } = context
  const { repo, config, plan } = offline
  const { cluster } = plan
  const at = context.now().getTime()
  const took = new Map<HostName, number>()
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
  reporter.begin({ id, cluster, operator, hosts: jobs.map(({ plan }) => plan.host) })
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
        reporter.event(event)
      },
      ticks,
    }).finally(() => reporter.end())
    const ms = ticks() - started
    await record(offline, { id, operator, at, jobs, ends, took })
    release()
    await afterDeploy(deploying, ends, terminal)
    const stale = await tellStale(offline, ends, {
      terminal,
      colors: terminal.noteColors(color),
      connect: host => connections.take(host),
    })
    return conclude(ends, { cluster, id, ms, stale }, reporter)
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
function conclude(ends: Ends, { cluster, id, ms, stale }: Carried, reporter: Reporter): ExitCode {
  const named = (kind: HostEnd['kind']) =>
    [...ends].filter(([, end]) => end.kind === kind).map(([host]) => host)
  const [held, undone, unknown] = [named('held'), named('undone'), named('unknown')]
  const finish = (outcome: Conclusion['outcome']) => reporter.conclude({ id, cluster, outcome, ends, ms })
  if (held.length === ends.size) {
    finish('done')
    return EXIT.done
  }
  if (unknown.length > 0) {
    finish('unknown')
    throw new Fatal(`cannot tell how deployment ${id} ended on ${names(unknown, FEW)}`, {
      hint: 'a host undoes by itself what is not confirmed in time; run the same command again to see',
      exitCode: EXIT.unknown,
    })
  }
  if (held.length + undone.length === 0) {
    finish('failed')
    if (stale.length === 0) throw new Fatal(`cannot deploy '${cluster}': no host was changed`)
    throw new Fatal(`cannot deploy '${cluster}': ${stale.join(', ')} had changed; no host was changed now`, {
      hint: 'run the same command again: its plan starts from what runs there now',
    })
  }
  finish('partial')
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
