import { nearest } from '../plan/suggest.ts'
import { isVerb, VERB_NAMES } from '../verb-names.ts'
import { Misuse } from './grammar/misuse.ts'
import type { Words } from './grammar/parse.ts'
import { verb } from './grammar/verb.ts'
import { clusterAndRev } from './grammar/words.ts'
import { COLOR } from './options/color.ts'
import { HELP, JSON_LINES, PROGRESS, PRUNE, VERBOSE } from './options/common.ts'
import { DEPLOYING, deployOptions } from './options/deploying.ts'
import { SELECTION, selectionOf } from './options/selection.ts'
import { OVERVIEW } from './overview.ts'

export const deploy = verb({
  usage: ['[<options>] [<cluster>] [<rev>]', ...OVERVIEW],
  options: {
    ...DEPLOYING,
    ...SELECTION,
    ...PRUNE,
    force: { type: 'boolean', describe: "take back colleagues' changes without being asked" },
    repair: { type: 'boolean', describe: 'restore what was deployed on hosts that differ' },
    ...VERBOSE,
    ...PROGRESS,
    ...JSON_LINES,
    ...COLOR,
    version: { type: 'boolean', describe: 'show the version' },
    ...HELP,
  },
  examples: [
    ['git deploy prod', "show the plan for 'prod/', ask, deploy"],
    ['git deploy prod v1.2', "deploy 'prod/' as of v1.2"],
    ["git deploy prod --limit 'web*'", 'deploy to some of the hosts'],
    ['git deploy --yes prod HEAD', 'deploy the last commit, from a script'],
    ['git deploy --atomic prod', 'if one host fails, roll back all'],
    ['git deploy ./plan', "deploy a cluster named 'plan'"],
  ],
  command: (words, given) => {
    if (given.version) return { kind: 'version' }
    const { cluster, rev } = operands(words)
    const { prune = false, repair = false, force = false } = given
    if (repair && rev !== null)
      throw new Misuse(`'--repair' restores what was deployed, and does not take the revision '${rev}'`)
    if (repair && prune) throw new Misuse("'--repair' and '--prune' cannot be used together")
    const selection = selectionOf(given)
    return { kind: 'deploy', cluster, rev, selection, prune, repair, force, ...deployOptions(given) }
  },
})

/** What no cluster can be followed by may follow the command that the first word is a slip for. */
function operands(words: Words) {
  const [first = ''] = words.words
  try {
    return clusterAndRev(withoutVerb(words))
  } catch (error) {
    if (!(error instanceof Misuse) || isVerb(first) || error.hint?.startsWith('did you mean')) throw error
    const verb = nearest(first, VERB_NAMES)
    throw verb === undefined ? error : new Misuse(error.message, `did you mean 'git deploy ${verb}'?`)
  }
}

/** `git deploy -n plan prod` would deploy a directory called 'plan' in the state of a branch called 'prod'. */
function withoutVerb(words: Words): Words {
  const [first] = words.words
  if (first !== undefined && isVerb(first))
    throw new Misuse(
      `the command '${first}' must come before its options`,
      `if you mean a directory, write './${first}'`,
    )
  return words
}
