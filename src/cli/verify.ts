import { verb } from './grammar/verb.ts'
import { onlyCluster } from './grammar/words.ts'
import { COLOR, colorWhen } from './options/color.ts'
import { HELP, JSON_LINES } from './options/common.ts'
import { SELECTION, selectionOf } from './options/selection.ts'

export const verify = verb({
  usage: ['verify [<options>] [<cluster>]'],
  options: { ...SELECTION, ...JSON_LINES, ...COLOR, ...HELP },
  examples: [
    ['git deploy verify prod', 'compare every host with what was deployed'],
    ['git deploy verify', 'the same for the default cluster'],
    ['git deploy --repair prod', 'fix what verify has found'],
  ],
  command: (words, given) => ({
    kind: 'verify',
    cluster: onlyCluster(words),
    selection: selectionOf(given),
    color: colorWhen(given),
  }),
})
