/** Moving the refs after a rollout: like remote-tracking branches, only for what a host has reported. */
import { commitFleet } from '../git/history.ts'
import { FLEET_REF, readFleet, trackingRef, updateRefs } from '../git/refs.ts'
import type { DeploymentId } from '../protocol/messages.ts'
import type { HostJob } from '../rollout.ts'
import type { Ends } from '../rollout-events.ts'
import type { Offline } from './plan-offline.ts'

/** One transaction: the tracking refs of the hosts where the deployment holds, and the fleet ref. */
export async function record(
  { repo, tracking, plan, source }: Offline,
  jobs: readonly HostJob[],
  ends: Ends,
  id: DeploymentId,
): Promise<void> {
  const held = jobs.filter(job => ends.get(job.plan.host)?.kind === 'held')
  if (held.length === 0) return
  const trees = new Map([...tracking.values()].map(({ host, tree }) => [host, tree]))
  for (const { plan } of held) trees.set(plan.host, plan.toTree)
  const names = held.map(({ plan }) => plan.host)
  const fleet = await readFleet(repo)
  const commit = await commitFleet(repo, {
    cluster: plan.cluster,
    source,
    deployment: id,
    subject: `${plan.cluster}: deploy to ${names.length > 3 ? `${names.length} hosts` : names.join(', ')}`,
    body: names.length > 3 ? names.join('\n') : '',
    hosts: trees,
    previous: fleet,
    parents: held.map(job => job.commit),
  })
  await updateRefs(
    repo,
    [
      ...held.map(job => ({ ref: trackingRef(job.plan.host), from: job.plan.from, to: job.commit })),
      { ref: FLEET_REF, from: fleet, to: commit },
    ],
    `deploy ${id}`,
  )
}
