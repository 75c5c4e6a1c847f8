import { isVerb } from '../verb-names.ts'
import { Misuse } from './grammar/misuse.ts'
import type { Words } from './grammar/parse.ts'
import { verb } from './grammar/verb.ts'
import { clusterAndRev } from './grammar/words.ts'
import { ACCEPTING, accepting } from './options/accepting.ts'
import { COLOR } from './options/color.ts'
import { HELP, JSON_LINES, PROGRESS, PRUNE, VERBOSE } from './options/common.ts'
import { SELECTION, selectionOf } from './options/selection.ts'
import { OVERVIEW } from './overview.ts'

export const deploy = verb({
  usage: ['[<options>] [<cluster>] [<rev>]', ...OVERVIEW],
  options: {
    ...ACCEPTING,
    ...SELECTION,
    ...PRUNE,
    repair: { type: 'boolean', describe: 'bring back what was deployed, where hosts differ' },
    ...VERBOSE,
    ...PROGRESS,
    ...JSON_LINES,
    ...COLOR,
    version: { type: 'boolean', describe: 'show the version' },
    ...HELP,
  },
  examples: [
    ['git deploy prod', "show what 'prod/' changes, ask, deploy"],
    ['git deploy prod v1.2', "deploy 'prod/' as it is in v1.2"],
    ["git deploy prod --limit 'web*'", 'deploy to some of the hosts'],
    ['git deploy --yes prod HEAD', 'deploy what is committed, from a script'],
    ['git deploy --atomic prod', 'one host fails: all go back'],
    ['git deploy ./plan', "a cluster called 'plan'"],
  ],
  command: (words, given) => {
    if (given.version) return { kind: 'version' }
    const { cluster, rev } = clusterAndRev(withoutVerb(words))
    const { prune = false, repair = false } = given
    if (repair && rev !== null)
      throw new Misuse(`'--repair' brings back what was deployed, and not the revision '${rev}'`)
    if (repair && prune) throw new Misuse("'--repair' and '--prune' exclude each other")
    const selection = selectionOf(given)
    return { kind: 'deploy', cluster, rev, selection, prune, repair, ...accepting(given) }
  },
})

/** `git deploy -n plan prod` would deploy a directory called 'plan' in the state of a branch called 'prod'. */
function withoutVerb(words: Words): Words {
  const [first] = words.words
  if (first !== undefined && isVerb(first))
    throw new Misuse(`'${first}' comes before its options`, `for a directory of that name use './${first}'`)
  return words
}
