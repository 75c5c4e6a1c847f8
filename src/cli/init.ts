import { verb } from './grammar/verb.ts'
import { onlyCluster } from './grammar/words.ts'
import { HELP, JSON_LINES } from './options/common.ts'

export const init = verb({
  usage: ['init [<options>] [<cluster>]'],
  options: { ...JSON_LINES, ...HELP },
  examples: [
    ['git deploy init', "start with a cluster called 'prod'"],
    ['git deploy init staging', "make 'git deploy' mean 'staging/'"],
    ['git config deptool.cluster', 'which one it is now'],
  ],
  command: words => ({ kind: 'init', cluster: onlyCluster(words) }),
})
