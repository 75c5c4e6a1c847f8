import { verb } from './grammar/verb.ts'
import { onlyCluster } from './grammar/words.ts'
import { COLOR, colorWhen } from './options/color.ts'
import { HELP, JSON_LINES } from './options/common.ts'
import { SELECTION, selectionOf } from './options/selection.ts'

export const sync = verb({
  usage: ['sync [<options>] [<cluster>]'],
  options: {
    ...SELECTION,
    changed: { type: 'boolean', describe: 'list only hosts with something new' },
    ...JSON_LINES,
    ...COLOR,
    ...HELP,
  },
  examples: [
    ['git deploy sync prod', 'ask every host what it runs'],
    ['git deploy sync --changed', 'list only hosts with something new'],
    ['git log refs/deptool', 'show what others have deployed'],
  ],
  command: (words, given) => ({
    kind: 'sync',
    cluster: onlyCluster(words),
    selection: selectionOf(given),
    changed: given.changed ?? false,
    color: colorWhen(given),
  }),
})
