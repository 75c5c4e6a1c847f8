import { verb } from './grammar/verb.ts'
import { onlyCluster } from './grammar/words.ts'
import { COLOR, colorWhen } from './options/color.ts'
import { HELP, JSON_LINES } from './options/common.ts'
import { SELECTION, selectionOf } from './options/selection.ts'

export const verify = verb({
  usage: ['verify [<options>] [<cluster>]'],
  options: { ...SELECTION, ...JSON_LINES, ...COLOR, ...HELP },
  examples: [
    ['git deploy verify prod', 'whether every host is as it was deployed'],
    ['git deploy verify', 'the same for the configured cluster'],
    ['git deploy --repair prod', 'put right what it finds'],
  ],
  command: (words, given) => ({
    kind: 'verify',
    cluster: onlyCluster(words),
    selection: selectionOf(given),
    color: colorWhen(given),
  }),
})
