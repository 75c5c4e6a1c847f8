import type { Context } from '../context.ts'
import type { Tracked } from '../git/refs.ts'
import type { Inspected } from '../inspected.ts'
import type { KnownCluster } from '../planning/cluster-hosts.ts'
import { inspect } from '../remote/inspect.ts'
import { reach } from './reach.ts'

/** The answers are in the order of the hosts. */
export function inspectRecorded(
  { hosts, config }: KnownCluster<Tracked>,
  context: Context,
): Promise<Inspected[]> {
  const connect = reach(config, context)
  return inspect({
    hosts: hosts.map(({ host }) => host),
    parallel: config.jobs,
    connect: host => connect(host, true),
  })
}
