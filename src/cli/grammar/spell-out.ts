/** Options as gitcli(7) lets people type them: abbreviated, negated, and the last of them counts. */
import { Misuse } from './misuse.ts'
import type { OptionTable } from './option.ts'

/**
 * The same command line with every option as it is declared, and its value in the same word. What `--no-<option>` cancels
 * is left out. Throws Misuse if an abbreviation is ambiguous.
 */
export function spellOut(
  argv: readonly string[],
  options: OptionTable,
  { abbreviated = true } = {},
): string[] {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length
  const queue = argv.slice(0, end)
  let out: string[] = []
  const takeBack = (name: string) => {
    out = out.filter(word => word !== `--${name}` && !word.startsWith(`--${name}=`))
  }
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    const [, typed = '', value] = /^(--[^=]+)(?:=(.*))?$/s.exec(word) ?? /^(-.)(.+)?$/s.exec(word) ?? []
    const meant = typed.startsWith('--')
      ? optionFor(typed.slice(2), options, abbreviated)
      : valuedLetter(typed.slice(1), options)
    if (meant === undefined) {
      out.push(word)
      continue
    }
    const { name, negated } = meant
    const takesValue = !negated && options[name]!.type !== 'boolean'
    if (value !== undefined && !takesValue) throw new Misuse(`option '${typed}' takes no value`)
    takeBack(opposite(name))
    if (negated) takeBack(name)
    else if (!takesValue) out.push(`--${name}`)
    else {
      const given =
        value ?? (options[name]!.value?.startsWith('[') || !isValue(queue[0]) ? '' : queue.shift()!)
      out.push(`--${name}=${given}`)
    }
  }
  return [...out, ...argv.slice(end)]
}

interface Meant {
  readonly name: string
  readonly negated: boolean
}

/** Undefined if the command has no such option. */
function optionFor(typed: string, options: OptionTable, abbreviated: boolean): Meant | undefined {
  const spellings = longSpellings(options)
  const exact = spellings.get(typed)
  if (exact || !abbreviated) return exact
  const near = [...spellings].filter(
    // A negation is abbreviated only after `--no-`.
    ([word, { negated }]) => word.startsWith(typed) && (!negated || typed.startsWith('no-')),
  )
  const [meant, ...others] = near.map(([, meant]) => meant)
  if (meant && others.every(({ name, negated }) => name === meant.name && negated === meant.negated))
    return meant
  if (meant === undefined) return undefined
  const words = near.map(([word]) => `'--${word}'`)
  throw new Misuse(
    `ambiguous option '--${typed}'`,
    `did you mean ${words.slice(0, -1).join(', ')} or ${words.at(-1)}?`,
  )
}

/** As `-o` is, also in `-ofile`. Letters without a value may stand together, and are left as they are. */
function valuedLetter(letter: string, options: OptionTable): Meant | undefined {
  const found = Object.entries(options).find(
    ([, { alias = [], type }]) => type !== 'boolean' && [alias].flat().includes(letter),
  )
  return found && { name: found[0], negated: false }
}

/** Declared names win over negations: `--no-confirm` is `--yes`. */
function longSpellings(options: OptionTable): Map<string, Meant> {
  const declared = Object.entries(options).flatMap(([name, { alias = [] }]) =>
    [name, ...[alias].flat()].filter(word => word.length > 1).map(word => ({ word, name })),
  )
  const entries = (spell: (word: string) => string, negated: boolean) =>
    declared.map(({ word, name }) => [spell(word), { name, negated }] as const)
  return new Map([...entries(opposite, true), ...entries(word => word, false)])
}

function opposite(name: string): string {
  return name.startsWith('no-') ? name.slice(3) : `no-${name}`
}

function isValue(word: string | undefined): boolean {
  return word !== undefined && (word === '-' || !word.startsWith('-'))
}
