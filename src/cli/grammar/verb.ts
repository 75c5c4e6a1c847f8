/** A command's grammar: what it is called with, and the Command that becomes of it. */
import type { Command } from '../../command.ts'
import { helpText } from '../../terminal/usage.ts'
import { type Given, type OptionTable, parse, spellings, type Words } from './parse.ts'

export interface Verb extends Omit<Grammar<OptionTable>, 'command'> {
  /** Throws Misuse. */
  readonly read: (argv: readonly string[]) => Command
}

interface Grammar<O extends OptionTable> {
  readonly usage: readonly string[]
  readonly options: O
  readonly examples: readonly (readonly [line: string, meaning: string])[]
  readonly command: (words: Words, given: Given<O>) => Command
}

export function verb<const O extends OptionTable>(grammar: Grammar<O>): Verb {
  const { usage, options, examples, command } = grammar
  const read = (argv: readonly string[]): Command => {
    const { words, given } = parse(argv, options)
    if (given['help']) return { kind: 'help', text: helpText(usage, describe(options), examples) }
    return command(words, given as Given<O>)
  }
  return { usage, options, examples, read }
}

function describe(options: OptionTable) {
  return Object.entries(options).map(([name, option]) => ({
    flags: spellings([name, option]).join(', '),
    meaning: option.describe ?? '',
  }))
}
