/** What is wrong with a config tree, as a compiler would say it: file, line and column first. */
import type { Problem } from '../plan/problem.ts'
import { printable, quoted } from './clean.ts'

export interface LocatedProblem extends Problem {
  /** The path as the operator would type it. */
  readonly shown: string
  /** The text of the file; null where it could not be read, or where `at` is missing. */
  readonly text: string | null
}

export async function renderProblems(problems: readonly LocatedProblem[]): Promise<string[]> {
  return (await Promise.all(problems.map(renderProblem))).flat()
}

async function renderProblem({ shown, text, at, what, hint }: LocatedProblem): Promise<string[]> {
  const place = at !== undefined && text !== null ? (await import('./locate.ts')).locate(text, at) : null
  const position = place ? `:${place.line}:${place.column}` : ''
  const reason = place?.reason ? `: ${place.reason}` : ''
  return [
    `error: ${quoted(shown)}${position}: ${printable(what)}${reason}`,
    ...(hint === undefined ? [] : [`hint: ${printable(hint)}`]),
  ]
}
