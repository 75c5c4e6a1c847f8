/** Hosts that may not run what is on record, in words: in the plan, and in the status. */
import type { ClusterName } from '../../plan/names.ts'
import type { Plan, Unsettled } from '../../plan/plan.ts'
import type { Colors } from '../terminal.ts'
import { wrap } from '../wrap.ts'

export function unsettledBlock(
  plan: Plan,
  { colors, columns }: { readonly colors: Colors; readonly columns: number },
): string[] {
  const lines = plan.unsettled.flatMap(one => wrap(`${one.host}: ${unsettledWords(one)}`.split(' '), columns))
  return [...lines.map(line => colors.yellow(line)), ...remedies(plan)]
}

export function nothingToChange(cluster: ClusterName): string {
  return `${cluster}: nothing to change, as far as this repository knows`
}

/** The end that is not known may be yet to come: another terminal may be at it. */
export function unsettledWords({ deployment, outcome }: Unsettled): string {
  return outcome === 'unknown'
    ? `the outcome of deployment ${deployment} is unknown`
    : `deployment ${deployment} was rolled back incompletely`
}

/** What finds out, and what puts right. */
export function remedies({ cluster, unsettled }: Plan): string[] {
  const some = (outcome: Unsettled['outcome']) => unsettled.some(one => one.outcome === outcome)
  return [
    ...(some('unknown') ? [`hint: run 'git deploy sync ${cluster}' to find out`] : []),
    ...(some('damaged') ? [`hint: run 'git deploy --repair ${cluster}' to fix it`] : []),
  ]
}
