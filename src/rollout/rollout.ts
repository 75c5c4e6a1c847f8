/**
 * A rollout: one plan, carried out on all its hosts at once.
 *
 * Invariant: a run that stops early has either changed something that makes the next run different, or told the
 * operator what to do. So nothing is activated anywhere before every host has staged, and no host's end is guessed:
 * where the connection broke, the host is asked again by the deployment's id.
 */
import { inParallel } from '../in-parallel.ts'
import { wavesOf } from '../plan/waves.ts'
import type { Ends } from './events.ts'
import { HostRun } from './host-run.ts'
import type { Run } from './run.ts'

/** Carries the plan out and says how it ended on each host. Never rejects for what a host does. */
export async function rollout(run: Run): Promise<Ends> {
  const { atomic, batch } = run.policy
  const started = run.ticks()
  const hosts = run.jobs.map(job => new HostRun(run, job, started))
  const interrupt = () => {
    for (const host of hosts) host.withdraw('interrupted by the operator')
  }
  run.signal.addEventListener('abort', interrupt)
  try {
    const ready = await stageAll(hosts, run)
    const waves = wavesOf(ready, batch)
    if (ready.length === 0) await giveUp(hosts)
    else if (atomic && hosts.length > 1) await activateTogether(announced(waves))
    else await activateEach(announced(waves), run.signal)
    return new Map(hosts.map(host => [host.name, host.end ?? { kind: 'withdrawn' }]))
  } finally {
    run.signal.removeEventListener('abort', interrupt)
    for (const host of hosts) host.close()
  }
}

/**
 * The hosts to go on with: either all of them could now be activated, or there are none. If one is locked and may be
 * waited for, all are let go and staged again afterwards: of two operators who wait for each other, neither may hold
 * what the other needs.
 */
async function stageAll(hosts: readonly HostRun[], run: Run): Promise<readonly HostRun[]> {
  const { parallel, skipUnreachable, waitMs } = run.policy
  const deadline = run.ticks() + waitMs
  let meant = hosts
  for (;;) {
    await inParallel(meant, parallel, host => host.stage())
    if (run.signal.aborted) return []
    if (skipUnreachable) meant = meant.filter(host => host.end?.kind !== 'unreachable')
    const locked = meant.filter(host => host.locked)
    if (meant.some(host => host.end)) return []
    if (locked.length === 0) return meant
    if (run.ticks() >= deadline) return []
    await Promise.all(meant.map(host => host.letGo()))
    await Promise.all(locked.map(host => host.untilFree(deadline)))
  }
}

type Waves = readonly (readonly HostRun[])[]

function announced(waves: Waves): Waves {
  if (waves.length > 1)
    for (const [i, wave] of waves.entries()) for (const host of wave) host.awaitWave(i + 1, waves.length)
  return waves
}

/** Wave after wave, each host for itself. After a failure no other wave begins. */
async function activateEach(waves: Waves, signal: AbortSignal): Promise<void> {
  const [wave, ...later] = waves
  if (wave === undefined) return
  await Promise.all(wave.map(activateAlone))
  if (wave.every(host => host.end?.kind === 'held') && !signal.aborted) return activateEach(later, signal)
  await giveUp(later.flat())
}

async function giveUp(hosts: readonly HostRun[]): Promise<void> {
  await Promise.all(hosts.map(host => host.giveUp()))
}

async function activateAlone(host: HostRun): Promise<void> {
  if (!(await host.activate())) return
  if (await host.prove()) await host.confirm()
  else await host.untilEnd()
}

/** The hosts vote: one that has not settled, or no longer waits when the votes are counted, has all of them undone. */
async function activateTogether(waves: Waves): Promise<void> {
  const hosts = waves.flat()
  const veto = (by: HostRun) => {
    for (const host of hosts) if (host !== by) host.withdraw(`${by.name} did not succeed (--atomic)`)
  }
  const vote = async (host: HostRun) => {
    const agrees = (await host.activate()) && (await host.prove())
    if (agrees) host.awaitOthers(() => veto(host))
    else veto(host)
    return agrees
  }
  const begun: HostRun[] = []
  let agreed = true
  for (const wave of waves) {
    begun.push(...wave)
    const votes = await Promise.all(wave.map(vote))
    agreed = votes.every(Boolean) && begun.every(host => host.waits)
    if (!agreed) break
  }
  // From here on there is no way back: one host may already hold while another is still being told.
  if (agreed) for (const host of hosts) host.decide()
  const rest = hosts.filter(host => !begun.includes(host))
  await Promise.all([...begun.map(host => (agreed ? host.confirm() : host.untilEnd())), giveUp(rest)])
}
