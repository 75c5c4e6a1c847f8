import { verb } from './grammar/verb.ts'
import { hostNames } from './grammar/words.ts'
import { COLOR } from './options/color.ts'
import { HELP, JSON_LINES, PROGRESS, VERBOSE } from './options/common.ts'
import { DEPLOYING, deployOptions } from './options/deploying.ts'
import { SELECTION, selectionOf } from './options/selection.ts'

export const rollback = verb({
  usage: ['rollback [<options>] [<host>…]'],
  options: { ...DEPLOYING, ...SELECTION, ...PROGRESS, ...VERBOSE, ...JSON_LINES, ...COLOR, ...HELP },
  examples: [
    ['git deploy rollback', 'go back to what ran before the last deployment'],
    ['git deploy rollback web1', 'go back to what web1 ran before'],
    ['git deploy rollback 20261123T074502-3f9a1c0b7e', 'undo this deployment'],
    ['git deploy rollback -n', 'show the plan and stop'],
  ],
  command: (words, given) => ({
    kind: 'rollback',
    hosts: hostNames(words),
    selection: selectionOf(given),
    ...deployOptions(given),
  }),
})
