/** Options and words of a command line. The only importer of yargs, which is asked for a grammar and runs nothing. */
import { Parser } from 'yargs/helpers'
import { type Option, type OptionTable, spellings } from './option.ts'
import { spellOut } from './spell-out.ts'

interface Parsed {
  readonly given: Readonly<Record<string, unknown>>
  readonly words: Words
}

export interface Words {
  readonly words: readonly string[]
  readonly known: readonly string[]
  /** Options that the command does not know. */
  readonly unknown: readonly string[]
  /** The words after `--`; null if there is none. */
  readonly paths: readonly string[] | null
}

/** `handsOn`: whether unknown options are for another program. Throws Misuse. */
export function parse(argv: readonly string[], options: OptionTable, { handsOn = false } = {}): Parsed {
  const spelled = spellOut(argv, options, { abbreviated: !handsOn })
  const { _: rest, '--': paths = null, ...found } = ask(spelled, options)
  const isOption = (word: string) => word.length > 1 && word.startsWith('-')
  const words: Words = {
    known: Object.entries(options).flatMap(spellings),
    words: rest.filter(word => !isOption(word)),
    // yargs treats --no-<option> as its own even if told not to negate.
    unknown: [
      ...rest.filter(isOption),
      ...Object.keys(found).flatMap(key => (options[key] ? [] : `--${key}`)),
    ],
    paths,
  }
  return { given: lastOfEach(found, options), words }
}

/** Options that yargs does not know stay in `_`, in order and as they were typed. */
function ask(argv: readonly string[], options: OptionTable) {
  const named = Object.entries(options)
  const ofType = (type: Option['type']) =>
    named.flatMap(([name, option]) => (option.type === type ? [name] : []))
  return Parser(argv.slice(), {
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
  }) as { readonly _: string[]; readonly '--'?: string[]; readonly [option: string]: unknown }
}

/** If an option is given twice, the last value counts, unless it takes several. */
function lastOfEach(given: Readonly<Record<string, unknown>>, options: OptionTable): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      Array.isArray(value) && !options[name]?.array ? value.at(-1) : value,
    ]),
  )
}
