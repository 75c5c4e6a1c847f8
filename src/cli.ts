/** The command line: argv -> Command. Each command's grammar is a file in cli/. */
import { Misuse } from './cli/grammar/misuse.ts'
import { spellings } from './cli/grammar/parse.ts'
import { isVerb } from './cli/verb-names.ts'
import { VERBS } from './cli/verbs.ts'
import type { Command, CompletedVerb } from './command.ts'
import { synopsis } from './terminal/usage.ts'

/** What `argv`, without the program's own name, asks for. Never throws: wrong usage is a Command too. */
export function parseCommand(argv: readonly string[]): Command {
  const [first] = argv
  const named = first !== undefined && isVerb(first)
  const verb = VERBS[named ? first : 'deploy']
  try {
    return verb.read(named ? argv.slice(1) : argv)
  } catch (error) {
    if (!(error instanceof Misuse)) throw error
    return { kind: 'misuse', message: error.message, hint: error.hint, usage: synopsis(verb.usage) }
  }
}

/** Whether records are to be written instead of words. Asked of wrong usage too. */
export function wantsJson(argv: readonly string[]): boolean {
  return argv.slice(0, argv.indexOf('--') + 1 || undefined).includes('--json')
}

/** Every option of every command, as it is typed: '-y', '--yes'. */
export function flagsOf(): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(VERBS).map(([name, verb]) => [name, Object.entries(verb.options).flatMap(spellings)]),
  )
}

/** What a shell is told of the commands. */
export function completedVerbs(): CompletedVerb[] {
  return Object.entries(VERBS).map(([name, { usage, options }]) => ({
    name,
    options: Object.entries(options).map(entry => ({
      spellings: spellings(entry),
      takesValue: entry[1].type !== 'boolean',
      meaning: entry[1].describe ?? '',
    })),
    ...operandsOf(usage[0] ?? ''),
  }))
}

/** From 'rollback [<options>] [<host>…]' or 'hooks (install | list)'. */
function operandsOf(usage: string): Pick<CompletedVerb, 'operands' | 'repeats'> {
  const matches = [...usage.matchAll(/\(([a-z| ]+)\)|<([a-z]+)>/g)]
  const operands = matches.map(([, words, name = '']) => words?.replaceAll(' | ', ' ') ?? name)
  return { operands: operands.filter(operand => operand !== 'options'), repeats: usage.includes('…') }
}
