/** Decoders from unknown values to typed ones, and how to combine them. All of them throw ProtocolError. */

/** The peer broke the protocol. */
export class ProtocolError extends Error {}

/** A word, a kind or a field that another build may know. */
export class Unknown extends ProtocolError {}

/** Gives `value` its type; `at` is its place in the message. */
export type Decoder<T> = (value: unknown, at: string) => T

export const text: Decoder<string> = (value, at) =>
  typeof value === 'string' ? value : wrong(at, 'a string')
export const bytes: Decoder<Uint8Array> = (value, at) =>
  value instanceof Uint8Array ? value : wrong(at, 'bytes')
export const integer: Decoder<number> = (value, at) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : wrong(at, 'a whole number')
export const truth: Decoder<boolean> = (value, at) =>
  typeof value === 'boolean' ? value : wrong(at, 'true or false')

export function literal<const T extends string>(expected: T): Decoder<T> {
  return (value, at) => (value === expected ? expected : wrong(at, `'${expected}'`))
}

export function choice<const T extends string>(allowed: readonly T[]): Decoder<T> {
  return (value, at) => {
    const found = allowed.find(one => one === value)
    if (found === undefined) throw new Unknown(`${at} is not one of ${allowed.join(', ')}`)
    return found
  }
}

export function name<T extends string>(make: (text: string) => T | undefined, what: string): Decoder<T> {
  return (value, at) => (typeof value === 'string' ? make(value) : undefined) ?? wrong(at, what)
}

export function nullable<T>(decode: Decoder<T>): Decoder<T | null> {
  return (value, at) => (value === null ? null : decode(value, at))
}

/** For an optional field, which older builds do not write. */
export function later<T>(decode: Decoder<T>): Decoder<T> {
  return (value, at) => (value === undefined ? (undefined as T) : decode(value, at))
}

/** In items: more than a plan or a host's log can have. */
const LIST_MAX = 100_000

export function list<T>(decode: Decoder<T>): Decoder<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value) || value.length > LIST_MAX) return wrong(at, 'a list')
    return value.map((item, i) => decode(item, `${at}[${i}]`))
  }
}

export function record<T>(fields: { readonly [K in keyof T]-?: Decoder<T[K]> }): Decoder<T> {
  return (value, at) => {
    if (!isObject(value)) return wrong(at, 'an object')
    const result: Partial<T> = {}
    for (const key of Object.keys(fields) as (keyof T & string)[]) {
      const decoded = fields[key](value[key], `${at}.${key}`)
      if (decoded !== undefined) result[key] = decoded
    }
    return result as T
  }
}

export function variant<T extends { [P in Tag]: string }, Tag extends string = 'type'>(
  decoders: { readonly [K in T[Tag]]: Decoder<Extract<T, { [P in Tag]: K }>> },
  tag: Tag = 'type' as Tag,
): Decoder<T> {
  return (value, at) => {
    const kind = isObject(value) ? value[tag] : undefined
    if (typeof kind !== 'string') return wrong(at, `a known ${tag}`)
    if (!Object.keys(decoders).includes(kind)) throw new Unknown(`${at} is not a known ${tag}`)
    return decoders[kind as T[Tag]](value, `${at}(${kind})`)
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function wrong(at: string, expected: string): never {
  throw new ProtocolError(`${at} is not ${expected}`)
}
