import type { Command } from './command.ts'

/** What is typed for a command. The other kinds are what else a command line can mean. */
export type VerbName = Exclude<Command['kind'], 'help' | 'version' | 'misuse'>

/** What each command has to do with hosts; in the order in which commands are offered. */
export const VERBS: { readonly [V in VerbName]: 'deploys' | 'asks' | 'offline' } = {
  deploy: 'deploys',
  plan: 'offline',
  apply: 'deploys',
  diff: 'offline',
  status: 'offline',
  check: 'offline',
  sync: 'asks',
  ping: 'asks',
  verify: 'asks',
  log: 'offline',
  rollback: 'deploys',
  forget: 'offline',
  init: 'offline',
  hooks: 'offline',
  completion: 'offline',
}

export const VERB_NAMES = Object.keys(VERBS) as readonly VerbName[]

export function isVerb(word: string): word is VerbName {
  return VERB_NAMES.some(name => name === word)
}
