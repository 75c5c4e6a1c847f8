import { Misuse } from './grammar/misuse.ts'
import { verb } from './grammar/verb.ts'
import { clusterAndRev } from './grammar/words.ts'
import { COLOR, colorWhen } from './options/color.ts'
import { HELP, JSON_LINES } from './options/common.ts'

export const check = verb({
  usage: ['check [<options>] [<cluster>] [<rev>]'],
  options: {
    staged: { alias: 'cached', type: 'boolean', describe: 'what the next commit would have, for hooks' },
    ...JSON_LINES,
    ...COLOR,
    ...HELP,
  },
  examples: [
    ['git deploy check prod', "all that is wrong with 'prod/'"],
    ['git deploy check prod HEAD', 'the same for what is committed'],
    ['git deploy check --staged prod', 'the same for what is staged, from a hook'],
    ['git deploy check --json prod', 'for editors and CI'],
  ],
  command: (words, given) => {
    const { cluster, rev } = clusterAndRev(words)
    if (given.staged && rev !== null)
      throw new Misuse(`'--staged' and the revision '${rev}' exclude each other`)
    return { kind: 'check', cluster, rev, staged: given.staged ?? false, color: colorWhen(given) }
  },
})
