/** A command's grammar: what it is called with, and the Command that becomes of it. */
import type { Command } from '../../command.ts'
import { helpText } from '../../terminal/text/usage.ts'
import { type Given, type OptionTable, spellings } from './option.ts'
import { parse, type Words } from './parse.ts'

export interface Verb extends Omit<Grammar<OptionTable>, 'command'> {
  /** Throws Misuse. */
  readonly read: (argv: readonly string[]) => Command
}

interface Grammar<O extends OptionTable> {
  readonly usage: readonly string[]
  readonly options: O
  /** Whether unknown options are for another program. */
  readonly handsOn?: boolean
  readonly examples: readonly (readonly [line: string, meaning: string])[]
  readonly command: (words: Words, given: Given<O>) => Command
}

export function verb<const O extends OptionTable>(grammar: Grammar<O>): Verb {
  const { usage, options, examples, handsOn = false, command } = grammar
  const read = (argv: readonly string[]): Command => {
    const { words, given } = parse(argv, options, { handsOn })
    if (given['help']) return { kind: 'help', text: helpText(usage, describe(options), examples) }
    return command(words, given as Given<O>)
  }
  return { usage, options, examples, handsOn, read }
}

/** Without the spellings for users of other tools. */
function describe(options: OptionTable) {
  return Object.entries(options).map(([name, option]) => {
    const { value = '', describe: meaning = '' } = option
    const letter = spellings([name, option]).find(word => !word.startsWith('--'))
    const flag = `--${name}${value === '' || value.startsWith('[') ? value : ` ${value}`}`
    return { flags: letter ? `${letter}, ${flag}` : flag, meaning }
  })
}
