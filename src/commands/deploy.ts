import { setMaxListeners } from 'node:events'
import type { Accepting, CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { conclude } from '../delivery/conclude.ts'
import { makeJobs } from '../delivery/jobs.ts'
import { moveRefs } from '../delivery/move-refs.ts'
import { afterDeploy, beforeDeploy, isGuarded } from '../delivery/operator-hooks.ts'
import { emptied, record, recordAhead, recordBegun } from '../delivery/record.ts'
import { reporterFor } from '../delivery/reporter.ts'
import { tellStale } from '../delivery/stale.ts'
import { EXIT, type ExitCode, Fatal } from '../errors.ts'
import { operatorName } from '../git/history.ts'
import type { HostName } from '../plan/names.ts'
import type { Plan } from '../plan/plan.ts'
import { wavesOf } from '../plan/waves.ts'
import { deploymentId } from '../planning/deployment-id.ts'
import { digestOf } from '../planning/digest-of.ts'
import { type Offline, planOffline, type WhenChanged } from '../planning/plan-offline.ts'
import { planRepair } from '../planning/plan-repair.ts'
import { reach } from '../planning/reach.ts'
import type { DeploymentId } from '../protocol/messages.ts'
import { Connections } from '../remote/connections.ts'
import { rollout } from '../rollout/rollout.ts'
import { ask, inputOf } from '../terminal/prompt.ts'
import type { Reporter, SavedBy } from '../terminal/reporter.ts'
import { names } from '../terminal/text/names.ts'
import { question } from '../terminal/text/plan.ts'
import { diffColor, showDiff } from './diff.ts'

/** `git deploy`: shows the plan, asks, carries it out on all hosts, records what they run then. */
export async function deploy(command: CommandOf<'deploy'>, context: Context): Promise<ExitCode> {
  if (command.repair) return offer(await planRepair(command, context), command, context)
  let early: Connections | undefined
  try {
    const whenChanged: WhenChanged = (hosts, known) => {
      if (command.dryRun || !(command.yes || context.terminal.input)) return
      early ??= new Connections(reach(known, context))
      callAhead(early, hosts, command, known)
    }
    const offline = await planOffline(command, context, { whenChanged })
    return await offer(offline, command, context, early)
  } finally {
    early?.close()
  }
}

/** A plan on offer. */
export interface Offer extends Accepting {
  /** Where the plan was saved before; none for a plan that was made just now. */
  readonly saved?: SavedBy
}

/** Not where a hook may refuse the deployment, or somebody wants no host called before they agree. */
function callAhead(
  connections: Connections,
  hosts: readonly HostName[],
  command: Accepting,
  { repo, config }: Pick<Offline, 'repo' | 'config'>,
): void {
  if (!command.yes && !config.preconnect) return
  if (!(command.verify && isGuarded(repo))) connections.warm(hosts, config.jobs)
}

/** What every plan goes through that is carried out, wherever it leads. */
export async function offer(
  offline: Offline,
  command: Offer,
  context: Context,
  early?: Connections,
): Promise<ExitCode> {
  const { plan, source, objects, config } = offline
  const { terminal, emit } = context
  const { yes, saved = null } = command
  const color = command.color ?? config.color
  const reporter = reporterFor({ ...command, color, short: false, abbrev: config.abbrev }, context)
  reporter.plan({ plan, source, saved, digest: digestOf })
  if (command.dryRun) return EXIT.done
  if (plan.hosts.length === 0) {
    await stopTracking(offline, context)
    refuseUnsettled(plan)
    return EXIT.done
  }
  terminal.out('')
  if (!yes) inputOf(terminal)

  const connections = early ?? new Connections(reach(offline, context))
  try {
    const hosts = plan.hosts.map(({ host }) => host)
    if (!early) callAhead(connections, hosts, command, offline)
    if (!yes && (await agree(command, offline, context)) === 'no') {
      terminal.note('not deployed')
      emit({ type: 'error', message: 'not deployed', hint: null, exitCode: EXIT.declined })
      return EXIT.declined
    }
    const id = saved?.id ?? deploymentId(context.now(), context.random)
    const again = saved !== null
    return await carryOut(offline, { ...command, id, again, color, connections, reporter }, context)
  } finally {
    connections.close()
    objects.close()
  }
}

/** No host has anything to do, and of those that have left the tree none has apps. */
async function stopTracking(offline: Offline, { terminal, emit }: Context): Promise<void> {
  const moves = emptied(offline)
  if (moves.length === 0) return
  const hosts = moves.map(({ host }) => host).join(', ')
  const account = { cluster: offline.plan.cluster, source: null, deployment: null, body: '' }
  await moveRefs(offline.repo, moves, { ...account, subject: `forget ${hosts}`, message: 'forget' })
  for (const { host, from } of moves) emit({ type: 'forgot', host, commit: from })
  terminal.out(`forgot ${hosts}`)
}

/** Nothing to do is no success where it is not known what runs. */
function refuseUnsettled({ cluster, unsettled }: Plan): void {
  if (unsettled.length === 0) return
  const hosts = unsettled.map(({ host }) => host)
  throw new Fatal(`cannot tell that '${cluster}' is deployed: ${names(hosts)} may run something else`)
}

function agree(command: Offer, { plan, repo, config }: Offline, context: Context): Promise<'yes' | 'no'> {
  const options = diffColor(command.color, config.color, context.env)
  const waves = wavesOf(plan.hosts, command.batch).length
  return ask(
    question(plan, waves),
    () => showDiff(plan, repo, context, { options, paths: [] }),
    context.terminal,
  )
}

/** What the command line and the configuration say about carrying out. */
interface Means
  extends Pick<
    Accepting,
    'verify' | 'adopt' | 'atomic' | 'batch' | 'confirm' | 'skipUnreachable' | 'waitMs'
  > {
  readonly id: DeploymentId
  readonly color: string | null
  readonly connections: Connections
  readonly reporter: Reporter
  /** Whether another deployment may have had this id: that of a saved plan. */
  readonly again: boolean
}

async function carryOut(offline: Offline, means: Means, context: Context): Promise<ExitCode> {
  const { terminal, ticks } = context
  const { id, again, verify, adopt, batch, confirm, skipUnreachable, waitMs } = means
  const { color, connections, reporter } = means
  const { repo, config, plan } = offline
  const { cluster } = plan
  const atomic = means.atomic ?? config.atomic
  const at = context.now().getTime()
  const took = new Map<HostName, number>()
  const [jobs, operator] = await Promise.all([makeJobs(offline, id, confirm), operatorName(repo)])
  const deploying = { repo, plan, verify, id, jobs }
  await beforeDeploy(deploying, terminal)
  const started = ticks()
  const interrupt = new AbortController()
  setMaxListeners(0, interrupt.signal)
  const release = terminal.onStop(() => {
    release() // A second Ctrl-C ends the program; the hosts then undo by themselves.
    terminal.note('interrupted: the hosts are asked to undo; Ctrl-C again leaves at once')
    interrupt.abort()
  })
  await tryToRecord(() => recordBegun(offline, { id, operator, at, jobs, again }))
  reporter.begin({ id, cluster, operator, hosts: jobs.map(({ plan }) => plan.host) })
  const recording = recordAhead(offline, { id, jobs }).catch(() => {
    // Whatever it is, `record` meets it too, and tells.
    return undefined
  })
  try {
    const ends = await rollout({
      id,
      operator,
      jobs,
      parallel: config.jobs,
      confirmMs: config.confirmTimeoutMs,
      adopt,
      atomic,
      batch,
      skipUnreachable,
      waitMs,
      connect: host => connections.take(host),
      connectAnew: (host, signal) => connections.anew(host, signal),
      signal: interrupt.signal,
      emit: event => {
        took.set(event.host, event.ms)
        reporter.event(event)
      },
      ticks,
    }).finally(() => reporter.end())
    const ms = ticks() - started
    const ahead = await recording
    const unrecorded = await tryToRecord(() => record(offline, { id, operator, at, jobs, ends, ahead, took }))
    release()
    await afterDeploy(deploying, ends, terminal)
    const stale = await tellStale(offline, ends, {
      terminal,
      colors: terminal.noteColors(color),
      emit: context.emit,
      connect: host => connections.take(host),
    }).catch(error => {
      // How the deployment ended is told all the same.
      if (!(error instanceof Fatal)) throw error
      terminal.note(`error: ${error.message}`)
      return []
    })
    return conclude(ends, { cluster, id, ms, stale, unrecorded, atomic }, context, reporter)
  } finally {
    release()
  }
}

/** Why the refs could not be moved, where they could not. */
async function tryToRecord(record: () => Promise<void>): Promise<string | undefined> {
  try {
    await record()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
