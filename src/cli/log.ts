import { verb } from './grammar/verb.ts'
import { hostNames } from './grammar/words.ts'
import { COLOR, colorWhen } from './options/color.ts'
import { HELP, JSON_LINES } from './options/common.ts'
import { SELECTION, selectionOf } from './options/selection.ts'

export const log = verb({
  usage: ['log [<options>] [<host>…]'],
  options: { ...SELECTION, ...JSON_LINES, ...COLOR, ...HELP },
  examples: [
    ['git deploy log', 'who deployed what and when, and how it ended'],
    ['git deploy log web1 web2', 'the same for two hosts'],
    ['git log -p refs/deptool/web1', 'what was deployed, line by line'],
  ],
  command: (words, given) => ({
    kind: 'log',
    hosts: hostNames(words),
    selection: selectionOf(given),
    color: colorWhen(given),
  }),
})
