/**
 * What is on disk may be of another build. It says of which format it is; where it says nothing, it is of the first
 * builds. Older is read: fields that came later are optional. Newer, or with something in it that this build does not
 * know, is kept as it is, because acting on the known half of it is worse than not acting.
 */
import { type Decoder, Unknown } from './decoders.ts'

/** To be counted up when older builds can no longer read what is written. */
export const FORMATS = { journal: 2, inventory: 1, lock: 1, log: 1, marks: 1 } as const

type Kept = keyof typeof FORMATS

/** Whether a record is of a format that this build reads. */
export function isReadable(kept: Kept, value: unknown): boolean {
  const { format = 0 } = (value ?? {}) as { readonly format?: unknown }
  return typeof format === 'number' && format <= FORMATS[kept]
}

/** Decodes a value of which nothing may be passed over. Throws Unknown for a field that `decode` does not ask for. */
export function whole<T>(decode: Decoder<T>): Decoder<T> {
  return (value, at) => {
    const decoded = decode(value, at)
    const over = passedOver(value, decoded, at)
    if (over !== undefined) throw new Unknown(`${over} is not known`)
    return decoded
  }
}

function passedOver(value: unknown, decoded: unknown, at: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const known = decoded as Readonly<Record<string, unknown>>
  for (const [key, inner] of Object.entries(value)) {
    const over = key in known ? passedOver(inner, known[key], `${at}.${key}`) : `${at}.${key}`
    if (over !== undefined) return over
  }
  return undefined
}
