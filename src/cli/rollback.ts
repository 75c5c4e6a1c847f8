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
    ['git deploy rollback', 'take the last deployment back, on all its hosts'],
    ['git deploy rollback web1', 'take back what was last deployed to web1'],
    ['git deploy rollback -n', 'show what that would change'],
  ],
  command: (words, given) => ({
    kind: 'rollback',
    hosts: hostNames(words),
    selection: selectionOf(given),
    ...deployOptions(given),
  }),
})
