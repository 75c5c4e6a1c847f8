/** Options and words of a command line. The only importer of yargs, which is asked for a grammar and runs nothing. */
import type { InferredOptionTypes, Options } from 'yargs'
import { Parser } from 'yargs/helpers'
import { Misuse } from './misuse.ts'

export type OptionTable = Readonly<Record<string, Options>>

/** The values of the options in a table. */
export type Given<O extends OptionTable> = InferredOptionTypes<O>

export interface Parsed {
  readonly given: Readonly<Record<string, unknown>>
  readonly words: Words
}

export interface Words {
  readonly words: readonly string[]
  readonly known: readonly string[]
  /** Options that the command does not know. */
  readonly unknown: readonly string[]
  /** What follows `--`; null where there is none. */
  readonly paths: readonly string[] | null
}

/** Throws Misuse where an option has a value that takes none. */
export function parse(argv: readonly string[], options: OptionTable): Parsed {
  const { _: rest, '--': paths = null, ...found } = ask(argv, options)
  const isOption = (word: string) => word.length > 1 && word.startsWith('-')
  const words: Words = {
    known: Object.entries(options).flatMap(spellings),
    words: rest.filter(word => !isOption(word)),
    // yargs takes --no-<option> for its own even where it is told not to negate.
    unknown: [
      ...rest.filter(isOption),
      ...Object.keys(found).flatMap(key => (options[key] ? [] : `--${key}`)),
    ],
    paths,
  }
  return { given: lastOfEach(found, options), words }
}

/** As they are typed: '-y', '--yes'. */
export function spellings([name, { alias = [] }]: [string, Options]): string[] {
  const words = [name, alias].flat()
  return [
    ...words.filter(word => word.length === 1).map(letter => `-${letter}`),
    ...words.filter(word => word.length > 1).map(word => `--${word}`),
  ]
}

/** Options that yargs does not know stay in `_`, in order and as they were typed. */
function ask(argv: readonly string[], options: OptionTable) {
  const [valued] = argv.slice(0, argv.indexOf('--') + 1 || undefined).filter(word => takesNone(word, options))
  if (valued !== undefined) throw new Misuse(`option '${valued.replace(/=.*/s, '')}' takes no value`)
  const named = Object.entries(options)
  const ofType = (type: Options['type']) =>
    named.flatMap(([name, option]) => (option.type === type ? [name] : []))
  return Parser(
    argv.map(word => (word === '--wait' && options['wait'] ? '--wait=' : word)),
    {
      alias: Object.fromEntries(named.map(([name, { alias = [] }]) => [name, [alias].flat()])),
      array: named.flatMap(([name, { array }]) => (array ? [name] : [])),
      boolean: ofType('boolean'),
      string: ofType('string'),
      configuration: {
        'boolean-negation': false,
        'camel-case-expansion': false,
        'dot-notation': false,
        'greedy-arrays': false,
        'parse-numbers': false,
        'parse-positional-numbers': false,
        'populate--': true,
        'strip-aliased': true,
        'unknown-options-as-args': true,
      },
    },
  ) as { readonly _: string[]; readonly '--'?: string[]; readonly [option: string]: unknown }
}

/** yargs reads `--yes=sure` as `--yes=false`. */
function takesNone(word: string, options: OptionTable): boolean {
  const [flag, ...value] = word.split('=')
  return (
    value.length > 0 &&
    Object.entries(options).some(entry => entry[1].type === 'boolean' && spellings(entry).includes(flag!))
  )
}

/** Of an option that was given twice, the last value holds, unless it takes several. */
function lastOfEach(given: Readonly<Record<string, unknown>>, options: OptionTable): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      Array.isArray(value) && !options[name]?.array ? value.at(-1) : value,
    ]),
  )
}
