import { verb } from './grammar/verb.ts'
import { onlyCluster } from './grammar/words.ts'
import { COLOR, colorWhen } from './options/color.ts'
import { HELP, JSON_LINES } from './options/common.ts'
import { SELECTION, selectionOf } from './options/selection.ts'

export const ping = verb({
  usage: ['ping [<options>] [<cluster>]'],
  options: { ...SELECTION, ...JSON_LINES, ...COLOR, ...HELP },
  examples: [
    ['git deploy ping prod', 'test the connection to every host'],
    ['git deploy ping', 'the same for the default cluster'],
    ['git -c deptool.transport=openssh deploy ping', 'the same with the ssh program'],
  ],
  command: (words, given) => ({
    kind: 'ping',
    cluster: onlyCluster(words),
    selection: selectionOf(given),
    color: colorWhen(given),
  }),
})
