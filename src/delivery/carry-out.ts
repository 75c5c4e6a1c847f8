/** Carrying out an accepted plan: its hooks, the rollout, the log and the refs, and its conclusion. */
import { setMaxListeners } from 'node:events'
import type { DeployOptions } from '../command.ts'
import type { Context } from '../context.ts'
import { type ExitCode, Fatal } from '../errors.ts'
import type { Config } from '../git/config.ts'
import { readOperator } from '../git/history.ts'
import { newDeploymentId } from '../plan/deployment-id.ts'
import type { HostName } from '../plan/names.ts'
import type { Planned } from '../planning/planned.ts'
import type { Connections } from '../remote/connections.ts'
import type { Ends } from '../rollout/events.ts'
import { rollout } from '../rollout/rollout.ts'
import type { Policy } from '../rollout/run.ts'
import type { Reporter, SavedBy } from '../terminal/reporter.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { clockNotes } from '../terminal/text/clock.ts'
import { conclude } from './conclude.ts'
import type { Deployment } from './deployment.ts'
import { makeJobs } from './jobs.ts'
import { afterDeploy, beforeDeploy } from './operator-hooks.ts'
import { record, recordAhead, recordBegun } from './record.ts'
import { tellStale } from './stale.ts'

export interface DeliveryOptions extends DeployOptions {
  /** Only for a plan that was saved before. */
  readonly saved?: SavedBy
  /** Whether what others have deployed may be taken back without being asked. */
  readonly force?: boolean
}

interface Tools {
  readonly connections: Connections
  readonly reporter: Reporter
}

export async function carryOut(
  planned: Planned,
  options: DeliveryOptions,
  { connections, reporter }: Tools,
  context: Context,
): Promise<ExitCode> {
  const { config } = planned
  const policy = policyOf(options, config)
  const deployment = await prepare(planned, options, context)
  if (options.verify) await beforeDeploy(deployment, context.terminal)
  const { ends, ms, ahead, unrecorded } = await run(deployment, policy, { connections, reporter }, context)
  for (const note of clockNotes(ahead)) context.terminal.note(note)
  await afterDeploy(deployment, ends, context.terminal)
  const colors = context.terminal.noteColors(options.color ?? config.color)
  const stale = await tellStale(planned, ends, { connections, colors }, context).catch(error => {
    // How the deployment ended must still be reported.
    if (!(error instanceof Fatal)) throw error
    context.terminal.note(`error: ${error.message}`)
    return []
  })
  const { cluster } = planned.plan
  const carried = { cluster, id: deployment.id, ms, stale, unrecorded, atomic: policy.atomic }
  return conclude(ends, carried, context, reporter)
}

function policyOf(options: DeployOptions, config: Config): Policy {
  const { adopt, batch, skipUnreachable, waitMs } = options
  return {
    ...{ adopt, batch, skipUnreachable, waitMs },
    atomic: options.atomic ?? config.atomic,
    parallel: config.jobs,
    confirmMs: config.confirmTimeoutMs,
  }
}

async function prepare(
  planned: Planned,
  { saved, confirm }: DeliveryOptions,
  { now, random }: Context,
): Promise<Deployment> {
  const at = now()
  const id = saved?.id ?? newDeploymentId(at, random)
  const [jobs, operator] = await Promise.all([makeJobs(planned, id, confirm), readOperator(planned.repo)])
  return { planned, id, isSaved: saved !== undefined, operator, at: at.getTime(), jobs }
}

interface Carried {
  readonly ends: Ends
  readonly ms: number
  /** By how much this clock is ahead of the hosts', in milliseconds. */
  readonly ahead: ReadonlyMap<HostName, number>
  /** Why the refs could not be moved; undefined if they could. */
  readonly unrecorded: string | undefined
}

/** The rollout, between the records of its beginning and its end. */
async function run(
  deployment: Deployment,
  policy: Policy,
  { connections, reporter }: Tools,
  { terminal, ticks }: Context,
): Promise<Carried> {
  const { id, operator, jobs, planned } = deployment
  const started = ticks()
  const took = new Map<HostName, number>()
  const clocks = new Map<HostName, number>()
  const { signal, release } = interruptible(terminal)
  try {
    await whyNot(() => recordBegun(deployment))
    const hosts = jobs.map(({ plan }) => plan.host)
    reporter.begin({ id, cluster: planned.plan.cluster, operator, hosts })
    const ahead = recordAhead(deployment).catch(() => {
      // `record` meets the same error, and reports it.
      return undefined
    })
    const ends = await rollout({
      ...{ id, operator, jobs, policy, connections, signal, ticks },
      emit: event => {
        took.set(event.host, event.ms)
        if (event.kind === 'connected') clocks.set(event.host, event.aheadMs)
        reporter.event(event)
      },
    }).finally(() => reporter.end())
    const ms = ticks() - started
    const unrecorded = await whyNot(async () =>
      record(deployment, { ends, took, clocks, ahead: await ahead }),
    )
    return { ends, ms, ahead: clocks, unrecorded }
  } finally {
    release()
  }
}

/** `signal` is aborted when the operator stops the program; after `release`, no longer. */
function interruptible(terminal: Terminal): { readonly signal: AbortSignal; readonly release: () => void } {
  const interrupt = new AbortController()
  // Each host listens: node takes more than ten listeners for a leak, and says so on the terminal.
  setMaxListeners(0, interrupt.signal)
  const release = terminal.onStop(() => {
    release() // A second Ctrl-C ends the program; the hosts then undo by themselves.
    terminal.note('interrupted: asking the hosts to roll back; press Ctrl-C again to stop at once')
    interrupt.abort()
  })
  return { signal: interrupt.signal, release }
}

/** Undefined if `act` succeeded. */
async function whyNot(act: () => Promise<void>): Promise<string | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
