import type { DeployOptions } from '../command.ts'
import type { Context } from '../context.ts'
import type { HostName } from '../plan/names.ts'
import type { RepositoryState } from '../planning/repository-state.ts'
import { Connections } from '../remote/connections.ts'
import { isGuarded } from './operator-hooks.ts'
import { reach } from './reach.ts'

/**
 * The connections of a deployment, opened in the background while the plan is made, shown and read. If a hook may refuse
 * the deployment, or the operator has turned it off, they are opened when they are taken. The caller closes them.
 */
export function connectAhead(
  hosts: readonly HostName[],
  { repo, config }: Pick<RepositoryState, 'repo' | 'config'>,
  { yes, verify }: Pick<DeployOptions, 'yes' | 'verify'>,
  context: Context,
): Connections {
  const connections = new Connections(reach(config, context))
  const wanted = yes || config.preconnect
  if (wanted && !(verify && isGuarded(repo))) connections.warm(hosts, config.jobs)
  return connections
}
