import { Misuse } from './grammar/misuse.ts'
import { verb } from './grammar/verb.ts'
import { hostNames } from './grammar/words.ts'
import { HELP, JSON_LINES } from './options/common.ts'

export const forget = verb({
  usage: ['forget [<options>] <host>…'],
  options: { ...JSON_LINES, ...HELP },
  examples: [
    ['git deploy forget web9', 'stop tracking web9, and leave it as it is'],
    ['git deploy forget web8 web9', 'stop tracking two hosts'],
    ['git deploy --prune prod', 'remove their apps as well'],
  ],
  command: words => {
    const hosts = hostNames(words)
    if (hosts.length === 0) throw new Misuse('no host given')
    return { kind: 'forget', hosts }
  },
})
