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
  return `${cluster}: nothing to change, as far as is known here`
}

/** The end that is not known may be yet to come: another terminal may be at it. */
export function unsettledWords({ deployment, outcome }: Unsettled): string {
  return outcome === 'unknown'
    ? `it is not known here how deployment ${deployment} ended`
    : `deployment ${deployment} was undone, and not everything went back`
}

/** What finds out, and what puts right. */
export function remedies({ cluster, unsettled }: Plan): string[] {
  const some = (outcome: Unsettled['outcome']) => unsettled.some(one => one.outcome === outcome)
  return [
    ...(some('unknown') ? [`hint: 'git deploy sync ${cluster}' asks`] : []),
    ...(some('damaged') ? [`hint: 'git deploy --repair ${cluster}' puts it right`] : []),
  ]
}
