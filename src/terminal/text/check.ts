import type { ClusterName } from '../../plan/names.ts'
import type { JsonRecord } from '../json/records.ts'
import type { Colors } from '../terminal.ts'
import { type PlacedProblem, renderProblems } from './problems.ts'

interface CheckResult {
  readonly cluster: ClusterName
  readonly hosts: number
  readonly apps: number
  readonly problems: readonly PlacedProblem[]
}

/** Every problem, and the verdict on the whole tree at the end. */
export function renderCheck(result: CheckResult, colors: Colors): string[] {
  const { cluster, hosts, apps, problems } = result
  const { errors, notes } = counts(problems)
  const size = `${count(hosts, 'host')}, ${count(apps, 'app')}`
  const verdict =
    errors === 0
      ? colors.green(`${cluster} can be deployed`)
      : colors.red(`${cluster} has ${count(errors, 'problem')}`)
  return [
    ...renderProblems(problems),
    `${verdict} (${size}${notes === 0 ? '' : `, ${count(notes, 'note')}`})`,
  ]
}

export function checkRecord({ cluster, hosts, apps, problems }: CheckResult): JsonRecord {
  return { type: 'check', cluster, hosts, apps, ...counts(problems) }
}

function counts(problems: readonly PlacedProblem[]): { errors: number; notes: number } {
  const errors = problems.filter(({ severity }) => severity === 'error').length
  return { errors, notes: problems.length - errors }
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`
}
