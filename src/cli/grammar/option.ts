/** The options of a command, by name. */
export type OptionTable = Readonly<Record<string, Option>>

export interface Option {
  /** Other names; of one letter, or more. */
  readonly alias?: string | readonly string[]
  readonly type: 'boolean' | 'string'
  /** Whether every given value counts, not just the last. */
  readonly array?: boolean
  readonly describe: string
  /** The value as help shows it, in brackets if it may be left out. A switch has none. */
  readonly value?: string
}

/** What the options in a table were given. */
export type Given<O extends OptionTable> = { readonly [K in keyof O]: ValueOf<O[K]> | undefined }

type ValueOf<O extends Option> = O extends { readonly type: 'boolean' }
  ? boolean
  : O extends { readonly array: true }
    ? readonly string[]
    : string

/** As they are typed: '-y', '--yes'. */
export function spellings([name, { alias = [] }]: [string, Option]): string[] {
  const words = [name, alias].flat()
  return [
    ...words.filter(word => word.length === 1).map(letter => `-${letter}`),
    ...words.filter(word => word.length > 1).map(word => `--${word}`),
  ]
}
