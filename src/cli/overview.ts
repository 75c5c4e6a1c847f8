/** The other commands in `git deploy -h`: neighbours with the same operands share a line. */
import type { VerbName } from '../verb-names.ts'

const OPERANDS: { readonly [V in Exclude<VerbName, 'deploy'>]: string } = {
  plan: '[<cluster>]',
  diff: '[<cluster>]',
  status: '[<cluster>]',
  check: '[<cluster>]',
  verify: '[<cluster>]',
  apply: '<file>',
  sync: '[<cluster>]',
  ping: '[<cluster>]',
  log: '[<host>…]',
  rollback: '[<host>…]',
  forget: '[<host>…]',
  init: '[<cluster>]',
  hooks: '',
  completion: '',
}

export const OVERVIEW: readonly string[] = [...lines(), 'help [<command>]']

function lines(): string[] {
  const groups: { verbs: string[]; operands: string }[] = []
  for (const [verb, operands] of Object.entries(OPERANDS)) {
    const last = groups.at(-1)
    if (last?.operands === operands) last.verbs.push(verb)
    else groups.push({ verbs: [verb], operands })
  }
  return groups.map(({ verbs, operands }) => lineOf(verbs.join(' | '), operands, verbs.length > 1))
}

function lineOf(verbs: string, operands: string, several: boolean): string {
  if (operands === '') return verbs
  return `${several ? `(${verbs})` : verbs} ${operands}`
}
