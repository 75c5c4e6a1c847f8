import type { Selection } from '../../plan/select.ts'
import { Misuse } from '../grammar/misuse.ts'
import type { Given } from '../grammar/option.ts'

export const SELECTION = {
  limit: {
    type: 'string',
    array: true,
    value: '<hosts>',
    describe: 'only these hosts: names or globs, with commas',
  },
  exclude: { type: 'string', array: true, value: '<hosts>', describe: 'all hosts except these' },
} as const

export function selectionOf(given: Given<typeof SELECTION>): Selection {
  const patterns = (option: keyof typeof SELECTION) => {
    const names = given[option]?.flatMap(words => words.split(',').map(name => name.trim())) ?? []
    if (given[option]?.length === 0 || names.includes(''))
      throw new Misuse(`'--${option}' takes hosts, as in '--${option}=web1,dns*'`)
    return names
  }
  return { limit: patterns('limit'), exclude: patterns('exclude') }
}
