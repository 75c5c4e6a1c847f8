/** The end of a plan in which no host has anything to do. */
import type { Context } from '../context.ts'
import { Fatal } from '../errors.ts'
import type { Plan } from '../plan/plan.ts'
import type { Planned } from '../planning/planned.ts'
import { names } from '../terminal/text/names.ts'
import { moveRefs } from './move-refs.ts'
import { emptied } from './record.ts'

/** Of hosts that have left the tree and have no apps left. */
export async function stopTracking(planned: Planned, { terminal, emit }: Context): Promise<void> {
  const moves = emptied(planned)
  if (moves.length === 0) return
  const hosts = moves.map(({ host }) => host).join(', ')
  const account = { cluster: planned.plan.cluster, source: null, deployment: null, body: '' }
  await moveRefs(planned.repo, moves, { ...account, subject: `forget ${hosts}`, message: 'forget' })
  for (const { host, from } of moves) emit({ type: 'forgot', host, commit: from })
  terminal.out(`forgot ${hosts}`)
}

/** Having nothing to do is not a success if it is not known what runs. */
export function refuseUnsettled({ cluster, unsettled }: Plan): void {
  if (unsettled.length === 0) return
  const hosts = unsettled.map(({ host }) => host)
  throw new Fatal(`cannot tell whether '${cluster}' is up to date: the state of ${names(hosts)} is uncertain`)
}
