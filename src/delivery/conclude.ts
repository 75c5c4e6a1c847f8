/** The end of a deployment: the last line, and the exit code. What an operator, or a script, goes by. */

import type { Context } from '../context.ts'
import { EXIT, type ExitCode, Fatal } from '../errors.ts'
import type { ClusterName, HostName } from '../plan/names.ts'
import type { DeploymentId } from '../protocol/messages.ts'
import { type Ends, type HostEnd, RESULT, type Result } from '../rollout/events.ts'
import type { Conclusion, Reporter } from '../terminal/reporter.ts'
import { names } from '../terminal/text/names.ts'

export interface Carried {
  readonly cluster: ClusterName
  readonly id: DeploymentId
  readonly ms: number
  /** Hosts that were not where the plan started from. */
  readonly stale: readonly HostName[]
  readonly unrecorded: string | undefined
  readonly atomic: boolean
}

/** Throws Fatal unless the deployment holds on every host. */
export function conclude(
  ends: Ends,
  { cluster, id, ms, stale, unrecorded, atomic }: Carried,
  { terminal }: Context,
  reporter: Reporter,
): ExitCode {
  const named = (result: Result) =>
    [...ends].filter(([, end]) => RESULT[end.kind] === result).map(([host]) => host)
  const [held, undone, unknown] = [named('deployed'), named('undone'), named('unknown')]
  const finish = (outcome: Conclusion['outcome']) => reporter.conclude({ id, cluster, outcome, ends, ms })
  if (unrecorded !== undefined) {
    const hint = `they run what was deployed; when the cause is gone, 'git deploy sync ${cluster}' records it`
    const message = `${held.length > 0 ? `deployed to ${held.join(', ')}, but ` : ''}cannot record it: ${unrecorded}`
    if (held.length === ends.size) {
      finish('unrecorded')
      throw new Fatal(message, { hint, exitCode: EXIT.unrecorded })
    }
    terminal.note(`error: ${message}\nhint: ${hint}`)
  }
  if (held.length === ends.size) {
    finish('done')
    return EXIT.done
  }
  if (unknown.length > 0) {
    finish('unknown')
    throw new Fatal(`cannot tell how deployment ${id} ended on ${names(unknown)}`, {
      hint: `it undoes by itself what was not confirmed in time; 'git deploy sync ${cluster}' asks it, once it is there`,
      exitCode: EXIT.unknown,
    })
  }
  if (held.length + undone.length === 0) {
    finish('failed')
    if (stale.length === 0)
      throw new Fatal(`cannot deploy '${cluster}': no host was changed`, {
        hint: unreachableAlone(ends) ? SKIP : undefined,
      })
    throw new Fatal(`cannot deploy '${cluster}': ${stale.join(', ')} had changed; no host was changed now`, {
      hint: 'run the same command again: its plan starts from what runs there now',
    })
  }
  finish('partial')
  const hint = atomic && held.length > 0 ? AGREED(undone.join(', ')) : undefined
  const others = named('unchanged')
  const damaged = [...ends].flatMap(([host, end]) =>
    end.kind === 'undone' && end.leftovers.length > 0 ? [host] : [],
  )
  const cause = [...ends.values()].some(gaveCause) ? CORRECT : undefined
  throw new Fatal(partly({ held, undone, others, damaged }), {
    hint: damaged.length > 0 ? REPAIR(cluster) : (hint ?? cause),
    exitCode: EXIT.partial,
  })
}

interface Parts {
  readonly held: readonly HostName[]
  readonly undone: readonly HostName[]
  readonly others: readonly HostName[]
  /** Of those that were undone, the ones where not everything went back. */
  readonly damaged: readonly HostName[]
}

function partly({ held, undone, others, damaged }: Parts): string {
  const all = held.length + undone.length + others.length
  const where = damaged.length < undone.length ? ` on ${names(damaged)}` : ''
  const well = undone.length === 1 ? ': it runs what ran before' : ': they run what ran before'
  const back = damaged.length > 0 ? `, but not everything went back${where}` : well
  const not = [
    ...(undone.length > 0 ? [`rolled back on ${names(undone)}${back}`] : []),
    ...(others.length > 0 ? [`nothing changed on ${names(others)}`] : []),
  ].join('; ')
  return held.length === 0 ? not : `deployed to ${held.length} of ${hosts(all)}, but ${not}`
}

const REPAIR = (cluster: ClusterName) =>
  `'git deploy verify ${cluster}' tells what differs, and 'git deploy --repair ${cluster}' puts it right`

const CORRECT = 'correct the cause and run the same command again: what holds is left alone'

const SKIP = '--skip-unreachable deploys to the others all the same'

/** Whether nothing but hosts that could not be reached was in the way of others. */
function unreachableAlone(ends: Ends): boolean {
  const kinds = new Set([...ends.values()].map(({ kind }) => kind))
  return kinds.size === 2 && kinds.has('unreachable') && kinds.has('withdrawn')
}

/** Not where it was taken back on request. */
function gaveCause(end: HostEnd): boolean {
  return end.kind === 'undone' && end.failure.step !== null
}

function hosts(count: number): string {
  return `${count} host${count === 1 ? '' : 's'}`
}

const AGREED = (lost: string) =>
  `all had agreed when ${lost} was lost: deploy again to bring it to where the others are`
