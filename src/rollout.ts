/**
 * A rollout: one plan, carried out on all its hosts at once.
 *
 * Invariant: a run that stops early has either changed something that makes the next run different, or told the
 * operator what to do. So nothing is activated anywhere before every host has staged, and no host's end is guessed:
 * where the connection broke, the host is asked again by the deployment's id.
 */

import { HostRun, type Run } from './host-run.ts'
import { inParallel } from './in-parallel.ts'
import type { Ends } from './rollout-events.ts'

export type { HostJob } from './host-run.ts'

export interface Rollout extends Run {
  /** At most so many hosts are connected to and staged at a time. */
  readonly parallel: number
  /** No host holds before all have settled, and a failure on one takes all back. */
  readonly atomic: boolean
  /** How long a host may be waited for that somebody else is deploying to, in milliseconds. */
  readonly waitMs: number
}

/** Carries the plan out and says how it ended on each host. Never rejects for what a host does. */
export async function rollout(run: Rollout): Promise<Ends> {
  const started = run.ticks()
  const hosts = run.jobs.map(job => new HostRun(run, job, started))
  const interrupt = () => {
    for (const host of hosts) host.withdraw('the operator interrupted it')
  }
  run.signal.addEventListener('abort', interrupt)
  try {
    if (!(await stageAll(hosts, run))) await Promise.all(hosts.map(host => host.giveUp()))
    else if (run.atomic && hosts.length > 1) await activateTogether(hosts)
    else await Promise.all(hosts.map(activateAlone))
    return new Map(hosts.map(host => [host.name, host.end ?? { kind: 'withdrawn' }]))
  } finally {
    run.signal.removeEventListener('abort', interrupt)
    for (const host of hosts) host.close()
  }
}

/**
 * Whether all hosts could now be activated. Where one is locked that may be waited for, all are let go and staged
 * anew afterwards: of two operators who wait for each other, neither may hold what the other needs.
 */
async function stageAll(hosts: readonly HostRun[], run: Rollout): Promise<boolean> {
  const deadline = run.ticks() + run.waitMs
  for (;;) {
    const ready = await inParallel(hosts, run.parallel, host => host.stage())
    if (run.signal.aborted) return false
    const locked = hosts.filter(host => host.locked)
    if (locked.length === 0 || hosts.some(host => host.end) || run.ticks() >= deadline)
      return ready.every(Boolean)
    await Promise.all(hosts.map(host => host.letGo()))
    await Promise.all(locked.map(host => host.untilFree(deadline)))
  }
}

async function activateAlone(host: HostRun): Promise<void> {
  if (!(await host.activate())) return
  if (await host.prove()) await host.confirm()
  else await host.untilEnd()
}

/** The hosts vote: one that has not settled, or waits no longer when the votes are counted, takes all back. */
async function activateTogether(hosts: readonly HostRun[]): Promise<void> {
  const veto = (by: HostRun) => {
    for (const host of hosts) if (host !== by) host.withdraw(`taken back because of ${by.name} (--atomic)`)
  }
  const votes = await Promise.all(
    hosts.map(async host => {
      const agrees = (await host.activate()) && (await host.prove())
      if (agrees) host.awaitOthers(() => veto(host))
      else veto(host)
      return agrees
    }),
  )
  const agreed = votes.every(Boolean) && hosts.every(host => host.waits)
  // From here on there is no way back: one host may already hold while another is still being told.
  if (agreed) for (const host of hosts) host.decide()
  await Promise.all(hosts.map(host => (agreed ? host.confirm() : host.untilEnd())))
}
