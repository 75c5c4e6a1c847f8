/** The command line: argv -> Command. Each command's grammar is a file in cli/. */

import type { Command, CompletedVerb } from '../command.ts'
import { suggest } from '../plan/suggest.ts'
import { synopsis } from '../terminal/text/usage.ts'
import { isVerb, VERB_NAMES } from '../verb-names.ts'
import { Misuse } from './grammar/misuse.ts'
import { spellings } from './grammar/option.ts'
import { spellOut } from './grammar/spell-out.ts'
import type { Verb } from './grammar/verb.ts'
import { VERBS } from './verbs.ts'

/** What `argv`, without the program's own name, asks for. Never throws: wrong usage is a Command too. */
export function parseCommand(argv: readonly string[]): Command {
  const { verb, rest } = verbOf(argv)
  try {
    return argv[0] === 'help' ? helpOn(rest) : verb.read(rest)
  } catch (error) {
    if (!(error instanceof Misuse)) throw error
    return {
      kind: 'misuse',
      message: error.message,
      hint: error.hint,
      usage: synopsis(verb.usage.slice(0, 1)),
    }
  }
}

/** Whether JSON was asked for, even by a wrong command line. */
export function wantsJson(argv: readonly string[]): boolean {
  const words = argv.slice(0, argv.indexOf('--') + 1 || undefined)
  const { verb, rest } = verbOf(words)
  try {
    return spellOut(rest, verb.options, { abbreviated: !verb.handsOn }).includes('--json')
  } catch {
    // The error is reported in the form that was asked for.
    return words.includes('--json')
  }
}

/** Every option of every command, as it is typed: '-y', '--yes'. */
export function flagsOf(): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(VERBS).map(([name, verb]) => [name, Object.entries(verb.options).flatMap(spellings)]),
  )
}

export function completedVerbs(): CompletedVerb[] {
  const verbs = Object.entries(VERBS).map(([name, { usage, options }]) => ({
    name,
    options: Object.entries(options).map(entry => ({
      spellings: spellings(entry),
      takesValue: entry[1].type !== 'boolean' && !entry[1].value?.startsWith('['),
      meaning: entry[1].describe ?? '',
    })),
    ...operandsOf(usage[0] ?? ''),
  }))
  return [...verbs, { name: 'help', options: [], operands: [VERB_NAMES.join(' ')], repeats: false }]
}

/** A command without a name is 'deploy'. */
function verbOf(argv: readonly string[]): { readonly verb: Verb; readonly rest: readonly string[] } {
  const [first] = argv
  if (first === 'help') return { verb: VERBS.deploy, rest: argv.slice(1) }
  return first !== undefined && isVerb(first)
    ? { verb: VERBS[first], rest: argv.slice(1) }
    : { verb: VERBS.deploy, rest: argv }
}

/** `git deploy help plan` is `git deploy plan -h`. */
function helpOn(words: readonly string[]): Command {
  const topic = words.find(word => !word.startsWith('-')) ?? 'deploy'
  if (!isVerb(topic)) throw new Misuse(`there is no command '${topic}'`, suggest(topic, VERB_NAMES))
  return VERBS[topic].read(['-h'])
}

/** From 'rollback [<options>] [<host>…]' or 'hooks (install | list)'. */
function operandsOf(usage: string): Pick<CompletedVerb, 'operands' | 'repeats'> {
  const matches = [...usage.matchAll(/\(([a-z| ]+)\)|<([a-z]+)>/g)]
  const operands = matches.map(([, words, name = '']) => words?.replaceAll(' | ', ' ') ?? name)
  return { operands: operands.filter(operand => operand !== 'options'), repeats: usage.includes('…') }
}
