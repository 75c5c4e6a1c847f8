/** The operands of a command. Each function throws Misuse for words that it does not expect. */
import { didYouMean } from '../../plan/suggest.ts'
import { DEPTOOL_OPTIONS } from '../deptool.ts'
import { Misuse } from './misuse.ts'
import type { Words } from './parse.ts'

export function clusterAndRev(words: Words) {
  const [cluster = null, rev = null] = atMost(words, 2)
  return { cluster, rev }
}

export function onlyCluster(words: Words): string | null {
  return atMost(words, 1)[0] ?? null
}

export function hostNames(words: Words): readonly string[] {
  return atMost(words, Number.POSITIVE_INFINITY)
}

export function oneOf<const T extends string>(choices: readonly T[], words: Words): T {
  const [given] = atMost(words, 1)
  const choice = choices.find(word => word === given)
  if (choice !== undefined) return choice
  const list = choices.length === 1 ? choices[0] : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`
  if (given === undefined) throw new Misuse(`missing argument: ${list}`)
  throw new Misuse(`unknown argument '${given}', expected ${list}`, didYouMean(given, choices) ?? null)
}

export function atMost({ words, unknown, known, paths }: Words, count: number): readonly string[] {
  const [option] = unknown
  if (option !== undefined) {
    const name = option.replace(/=.*/, '')
    throw new Misuse(`unknown option '${option}'`, DEPTOOL_OPTIONS[name] ?? suggestOption(name, known))
  }
  // After `--` alone, operands may begin with a dash. After other words it separates paths, which only diff has.
  const operands = words.length === 0 ? (paths ?? []) : words
  const extra = operands[count] ?? (words.length > 0 ? paths?.[0] : undefined)
  if (extra !== undefined) throw new Misuse(`unexpected argument '${extra}'`)
  return operands
}

/** Not for letters: each is one edit from any other. */
function suggestOption(option: string, known: readonly string[]): string {
  const meant = option.startsWith('--') ? didYouMean(option, known) : undefined
  return meant ?? 'use -h to list the options'
}
