import { Misuse } from './grammar/misuse.ts'
import { verb } from './grammar/verb.ts'
import { hostNames } from './grammar/words.ts'
import { COLOR, colorWhen } from './options/color.ts'
import { HELP, JSON_LINES } from './options/common.ts'
import { SELECTION, selectionOf } from './options/selection.ts'

/** Null without the option. */
function countOf(given: string | undefined): number | null {
  if (given === undefined) return null
  if (/^\d{1,9}$/.test(given)) return Number(given)
  throw new Misuse("'-n' takes a number of deployments, as in '-n 5'")
}

export const log = verb({
  usage: ['log [<options>] [<host>…]'],
  options: {
    'max-count': { alias: 'n', type: 'string', value: '<number>', describe: 'only the newest deployments' },
    ...SELECTION,
    ...JSON_LINES,
    ...COLOR,
    ...HELP,
  },
  examples: [
    ['git deploy log', 'who deployed what and when, and how it ended'],
    ['git deploy log -n 5 web1', 'the newest five of one host'],
    ['git deploy log 20261123T074502-3f9a1c0b7e', 'one deployment, by its id'],
    ['git log -p refs/deptool/web1', 'what was deployed, line by line'],
  ],
  command: (words, given) => ({
    kind: 'log',
    hosts: hostNames(words),
    count: countOf(given['max-count']),
    selection: selectionOf(given),
    color: colorWhen(given),
  }),
})
