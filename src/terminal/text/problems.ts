/** What is wrong with a config tree, as a compiler would say it: file, line and column first. */
import type { Problem } from '../../plan/problem.ts'
import { quoted, visible } from '../clean.ts'
import type { JsonRecord } from '../json/records.ts'
import type { Position } from './locate.ts'

export interface LocatedProblem extends Problem {
  /** The path as the operator would type it. */
  readonly shown: string
  /** The text of the file; null where it could not be read, or where `at` is missing. */
  readonly text: string | null
}

export interface PlacedProblem {
  readonly severity: Severity
  readonly shown: string
  /** Its path below the host's directory, and the host: what is the same on several hosts is told once. */
  readonly host: string
  readonly inHost: string
  readonly line: number | null
  readonly column: number | null
  readonly message: string
  readonly hint: string | null
}

export type Severity = 'error' | 'note'

/** The file of each problem begins with the name of its host. */
export async function placeProblems(
  problems: readonly LocatedProblem[],
  severity: Severity,
): Promise<PlacedProblem[]> {
  if (problems.length === 0) return []
  const { locate } = await import('./locate.ts')
  // Many hosts often have the same file, with the same thing to say about it.
  const positions = new Map<string, Position>()
  return problems.map(problem => {
    const { text, at } = problem
    if (text === null || at === undefined) return placeProblem(problem, severity, null)
    const key = JSON.stringify([text, at])
    const position = positions.get(key) ?? locate(text, at)
    positions.set(key, position)
    return placeProblem(problem, severity, position)
  })
}

/** Each on lines of its own; the same problem of several hosts once. */
export function renderProblems(problems: readonly PlacedProblem[]): string[] {
  const groups = new Map<string, PlacedProblem[]>()
  for (const problem of problems) {
    const { severity, inHost, line, column, message, hint } = problem
    const key = JSON.stringify([severity, inHost, line, column, message, hint])
    const group = groups.get(key)
    if (group) group.push(problem)
    else groups.set(key, [problem])
  }
  return [...groups.values()].flatMap(([first, ...others]) => renderProblem(first!, others.length))
}

export function problemRecord({
  severity,
  shown,
  host,
  line,
  column,
  message,
  hint,
}: PlacedProblem): JsonRecord {
  return { type: 'problem', severity, host, file: shown, line, column, message, hint }
}

function placeProblem(
  { file, shown, what, hint }: LocatedProblem,
  severity: Severity,
  position: Position | null,
): PlacedProblem {
  const { line = null, column = null, reason = null } = position ?? {}
  const [host = '', ...inHost] = file.split('/')
  const message = reason === null ? what : `${what}: ${reason}`
  return { severity, shown, host, inHost: inHost.join('/'), line, column, message, hint: hint ?? null }
}

function renderProblem(
  { severity, shown, line, column, message, hint }: PlacedProblem,
  others: number,
): string[] {
  const position = line === null ? '' : `:${line}:${column}`
  const more = others === 0 ? '' : ` (and on ${others} more ${others === 1 ? 'host' : 'hosts'})`
  return [
    `${severity}: ${quoted(shown)}${position}: ${visible(message)}${more}`,
    ...(hint === null ? [] : [`hint: ${visible(hint)}`]),
  ]
}
