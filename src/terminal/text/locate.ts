/** Where in a JSON file something is wrong. Loaded only when something is. */
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import type { Problem } from '../../plan/problem.ts'

export interface Position {
  readonly line: number
  readonly column: number
  /** What a parser stumbled over; null where the file parses. */
  readonly reason: string | null
}

/** Counted from 1. The whole file where `at` leads nowhere: an object that lacks a key is where the key should be. */
export function locate(text: string, at: NonNullable<Problem['at']>): Position {
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { disallowComments: true })
  const [error] = errors
  if (error) return { ...position(text, error.offset), reason: reasonFor(error) }
  const node = root && at !== 'syntax' ? nearest(root, at) : undefined
  return { ...position(text, node?.offset ?? 0), reason: null }
}

/** The key that names the value, or the value itself in a list; failing that, what is around it. */
function nearest(root: Node, at: readonly (string | number)[]): Node {
  for (let depth = at.length; depth > 0; depth--) {
    const node = findNodeAtLocation(root, at.slice(0, depth))
    if (node) return typeof at[depth - 1] === 'string' ? (node.parent?.children?.[0] ?? node) : node
  }
  return root
}

function position(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset).split('\n')
  return { line: before.length, column: before.at(-1)!.length + 1 }
}

/** 'PropertyNameExpected' -> 'property name expected' */
function reasonFor({ error }: ParseError): string {
  return printParseErrorCode(error)
    .replace(/(?<=[a-z])[A-Z]/g, ' $&')
    .toLowerCase()
}
