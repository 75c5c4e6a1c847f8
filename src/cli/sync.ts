import { verb } from './grammar/verb.ts'
import { onlyCluster } from './grammar/words.ts'
import { COLOR, colorWhen } from './options/color.ts'
import { HELP, JSON_LINES } from './options/common.ts'
import { SELECTION, selectionOf } from './options/selection.ts'

export const sync = verb({
  usage: ['sync [<options>] [<cluster>]'],
  options: {
    ...SELECTION,
    changed: { type: 'boolean', describe: 'name only hosts that are not where they were' },
    ...JSON_LINES,
    ...COLOR,
    ...HELP,
  },
  examples: [
    ['git deploy sync prod', 'ask every host what it runs, since when'],
    ['git deploy sync --changed', 'say only what is new'],
    ['git log refs/deptool', 'what others deployed'],
  ],
  command: (words, given) => ({
    kind: 'sync',
    cluster: onlyCluster(words),
    selection: selectionOf(given),
    changed: given.changed ?? false,
    color: colorWhen(given),
  }),
})
