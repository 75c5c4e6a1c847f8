/** The commands, in the order in which they are offered. */
export const VERB_NAMES = [
  'deploy',
  'plan',
  'apply',
  'diff',
  'status',
  'check',
  'sync',
  'ping',
  'verify',
  'log',
  'rollback',
  'forget',
  'init',
  'hooks',
  'completion',
] as const

export type VerbName = (typeof VERB_NAMES)[number]

export function isVerb(word: string): word is VerbName {
  return VERB_NAMES.some(name => name === word)
}
