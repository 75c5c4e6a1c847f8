import { Misuse } from './grammar/misuse.ts'
import { verb } from './grammar/verb.ts'
import { clusterAndRev } from './grammar/words.ts'
import { COLOR, colorWhen } from './options/color.ts'
import { HELP, JSON_LINES } from './options/common.ts'

export const check = verb({
  usage: ['check [<options>] [<cluster>] [<rev>]'],
  options: {
    staged: { alias: 'cached', type: 'boolean', describe: "check the files in Git's index" },
    ...JSON_LINES,
    ...COLOR,
    ...HELP,
  },
  examples: [
    ['git deploy check prod', "list the problems in 'prod/'"],
    ['git deploy check prod HEAD', 'the same for the last commit'],
    ['git deploy check --staged prod', 'the same for the next commit, in a hook'],
    ['git deploy check --json prod', 'JSON lines for editors and CI'],
  ],
  command: (words, given) => {
    const { cluster, rev } = clusterAndRev(words)
    if (given.staged && rev !== null)
      throw new Misuse(`'--staged' and the revision '${rev}' cannot be used together`)
    return { kind: 'check', cluster, rev, staged: given.staged ?? false, color: colorWhen(given) }
  },
})
