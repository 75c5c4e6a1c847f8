/** Values out of a JSON file that people write: of the expected shape, or a report of where they are not. */
import { suggest } from './suggest.ts'

export type Keys = readonly (string | number)[]
export type Report = (at: Keys, what: string, hint?: string) => void

/** The value, or an empty object. `allowed` null: any key. */
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
    if (allowed?.includes(key) === false) report([...at, key], `unknown key '${key}'`, suggest(key, allowed))
  return value
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value, or an empty list, also where there is none. `what` names its items: 'unit names'. */
export function list(value: unknown, what: string, at: Keys, report: Report): readonly unknown[] {
  if (value === undefined) return []
  if (Array.isArray(value)) return value
  report(at, `expected a list of ${what}, found ${kindOf(value)}`)
  return []
}

/** The value, or `fallback` where there is none or a wrong one. */
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
