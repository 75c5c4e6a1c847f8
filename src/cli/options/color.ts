import { COLOR_WHEN, type ColorWhen } from '../../command.ts'
import { Misuse } from '../grammar/misuse.ts'
import type { Given } from '../grammar/option.ts'

export const COLOR = {
  color: { type: 'string', value: '<when>', describe: 'when to colour: always, auto or never' },
  'no-color': { type: 'boolean', describe: 'the same as --color=never' },
} as const

export function colorWhen(given: Given<typeof COLOR>): ColorWhen | null {
  if (given['no-color']) return 'never'
  if (given.color === undefined) return null
  const when = COLOR_WHEN.find(word => word === given.color)
  if (when === undefined) throw new Misuse("'--color' takes always, auto or never, as in '--color=always'")
  return when
}
