/** Reads values of a JSON file that people write; a value of another shape is reported with its place, and replaced. */
import type { ProblemKind } from './problem.ts'
import { suggest } from './suggest.ts'

export type Keys = readonly (string | number)[]
export type Report = (at: Keys, what: string, hint?: string, kind?: ProblemKind) => void

/** The value, or an empty object. `allowed` null allows any key. */
export function object(
  value: unknown,
  at: Keys,
  allowed: readonly string[] | null,
  report: Report,
): Record<string, unknown> {
  if (!isObject(value)) {
    report(at, `expected an object, found ${kindOf(value)}`)
    return {}
  }
  for (const key of Object.keys(value))
    if (allowed?.includes(key) === false)
      report([...at, key], `unknown key '${key}'`, suggest(key, allowed), 'unknown key')
  return value
}

/** The first key that an object of the valid JSON has twice: JSON.parse silently takes the last one. */
export function repeatedKey(text: string): Keys | undefined {
  const around: { readonly keys: Set<string>; key: string }[] = []
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '{') around.push({ keys: new Set(), key: '' })
    if (text[at] === '}') around.pop()
    if (text[at] !== '"') continue
    const start = at
    at = endOfString(text, start)
    const innermost = around[around.length - 1]
    if (!innermost || !isBeforeColon(text, at)) continue
    innermost.key = JSON.parse(text.slice(start, at + 1)) as string
    if (innermost.keys.has(innermost.key)) return around.map(({ key }) => key)
    innermost.keys.add(innermost.key)
  }
  return undefined
}

/** By hand: on a string of megabytes a regular expression runs out of stack. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}

function isBeforeColon(text: string, end: number): boolean {
  const colon = /\s*:/y
  colon.lastIndex = end + 1
  return colon.test(text)
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value, or an empty list. `what` names its items: 'unit names'. */
export function list(value: unknown, what: string, at: Keys, report: Report): readonly unknown[] {
  if (value === undefined) return []
  if (Array.isArray(value)) return value
  report(at, `expected a list of ${what}, found ${kindOf(value)}`)
  return []
}

export function milliseconds(
  value: unknown,
  { from, fallback }: { readonly from: number; readonly fallback: number },
  at: Keys,
  report: Report,
): number {
  if (value === undefined) return fallback
  if (typeof value === 'number' && Number.isInteger(value) && value >= from && value <= 60_000) return value
  report(at, `expected a whole number of milliseconds from ${from} to 60000`)
  return fallback
}

export function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
