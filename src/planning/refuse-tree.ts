/** The end of a command whose config tree cannot be deployed: all problems are shown at once. */

import type { Context } from '../context.ts'
import { Fatal } from '../errors.ts'
import type { Problem } from '../plan/problem.ts'
import { placeProblems, problemRecord, renderProblems } from '../terminal/text/problems.ts'
import { locateIn, type Whereabouts } from './locate-problem.ts'

interface Refused extends Whereabouts {
  readonly context: Context
}

export async function refuseTree(problems: readonly Problem[], refused: Refused): Promise<never> {
  const { cluster, context } = refused
  const located = await Promise.all(problems.map(problem => locateIn(problem, refused)))
  const placed = await placeProblems(located, 'error')
  for (const problem of placed) context.emit(problemRecord(problem))
  for (const line of renderProblems(placed)) context.terminal.note(line)
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  throw new Fatal(`cannot plan '${cluster.name}': ${count} in the config tree`)
}
