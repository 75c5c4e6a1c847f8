/** The end of a deployment: its last line for the operator, and its exit code for scripts. */

import type { Context } from '../context.ts'
import { EXIT, type ExitCode, Fatal } from '../errors.ts'
import type { DeploymentId } from '../plan/deployment-id.ts'
import type { ClusterName, HostName } from '../plan/names.ts'
import { type Ends, type HostEnd, RESULT, type Result } from '../rollout/events.ts'
import type { Conclusion, Reporter } from '../terminal/reporter.ts'
import { names } from '../terminal/text/names.ts'

interface Carried {
  readonly cluster: ClusterName
  readonly id: DeploymentId
  readonly ms: number
  /** Hosts that were not where the plan started from. */
  readonly stale: readonly HostName[]
  readonly unrecorded: string | undefined
  readonly atomic: boolean
}

/** Throws Fatal unless the deployment succeeded on every host. */
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
    const hint = `the hosts run the new version; fix the cause, then run 'git deploy sync ${cluster}' to record it`
    const message = `${held.length > 0 ? `deployed to ${held.join(', ')}, but ` : ''}cannot record the deployment: ${unrecorded}`
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
      hint: `a host that got no confirmation rolls back by itself; when it is reachable, run 'git deploy sync ${cluster}' to find out`,
      exitCode: EXIT.unknown,
    })
  }
  if (held.length + undone.length === 0) {
    finish('failed')
    if (stale.length === 0)
      throw new Fatal(`cannot deploy '${cluster}': no host was changed`, {
        hint: unreachableAlone(ends) ? SKIP : undefined,
      })
    throw new Fatal(
      `cannot deploy '${cluster}': ${stale.join(', ')} ${stale.length === 1 ? 'has' : 'have'} changed since this repository last heard of ${stale.length === 1 ? 'it' : 'them'}; no host was changed`,
      {
        hint: 'run the same command again: the new plan starts from what the hosts run now',
      },
    )
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
  /** Those of `undone` on which something could not be restored. */
  readonly damaged: readonly HostName[]
}

function partly({ held, undone, others, damaged }: Parts): string {
  const all = held.length + undone.length + others.length
  const where = damaged.length < undone.length ? ` on ${names(damaged)}` : ''
  const well = undone.length === 1 ? ': it is as it was before' : ': they are as they were before'
  const back = damaged.length > 0 ? `, but incompletely${where}` : well
  const not = [
    ...(undone.length > 0 ? [`rolled back on ${names(undone)}${back}`] : []),
    ...(others.length > 0 ? [`nothing changed on ${names(others)}`] : []),
  ].join('; ')
  return held.length === 0 ? not : `deployed to ${held.length} of ${hosts(all)}, but ${not}`
}

const REPAIR = (cluster: ClusterName) =>
  `run 'git deploy verify ${cluster}' to see what differs, and 'git deploy --repair ${cluster}' to fix it`

const CORRECT = 'fix the cause, then run the same command again; hosts that are up to date are left alone'

const SKIP = 'to deploy to the other hosts anyway, add --skip-unreachable'

/** Whether the only obstacle was hosts that could not be reached. */
function unreachableAlone(ends: Ends): boolean {
  const kinds = new Set([...ends.values()].map(({ kind }) => kind))
  return kinds.size === 2 && kinds.has('unreachable') && kinds.has('withdrawn')
}

/** Not if it was withdrawn: by Ctrl-C, or because of another host. */
function gaveCause(end: HostEnd): boolean {
  return end.kind === 'undone' && end.failure.step !== null
}

function hosts(count: number): string {
  return `${count} host${count === 1 ? '' : 's'}`
}

const AGREED = (lost: string) =>
  `the connection to ${lost} was lost while the hosts were being confirmed; run the same command again to update ${lost}`
