import { verb } from './grammar/verb.ts'
import { onlyCluster } from './grammar/words.ts'
import { HELP, JSON_LINES } from './options/common.ts'

export const init = verb({
  usage: ['init [<options>] [<cluster>]'],
  options: { ...JSON_LINES, ...HELP },
  examples: [
    ['git deploy init', "start with a cluster named 'prod'"],
    ['git deploy init staging', "deploy 'staging/' by default"],
    ['git config deptool.cluster', 'show the default cluster'],
  ],
  command: words => ({ kind: 'init', cluster: onlyCluster(words) }),
})
