import { verb } from './grammar/verb.ts'
import { onlyCluster } from './grammar/words.ts'
import { COLOR, colorWhen } from './options/color.ts'
import { HELP, JSON_LINES } from './options/common.ts'
import { SELECTION, selectionOf } from './options/selection.ts'

export const status = verb({
  usage: ['status [<options>] [<cluster>]'],
  options: {
    porcelain: { type: 'boolean', describe: 'print stable columns for scripts' },
    ...SELECTION,
    ...JSON_LINES,
    ...COLOR,
    ...HELP,
  },
  examples: [
    ['git deploy status', 'show what runs where'],
    ['git deploy status prod', "the same for the cluster 'prod'"],
    ['git log refs/deptool/web1', 'show the history of one host'],
  ],
  command: (words, given) => ({
    kind: 'status',
    cluster: onlyCluster(words),
    selection: selectionOf(given),
    porcelain: given.porcelain ?? false,
    color: colorWhen(given),
  }),
})
