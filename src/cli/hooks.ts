import type { Words } from './grammar/parse.ts'
import { verb } from './grammar/verb.ts'
import { oneOf } from './grammar/words.ts'
import { HELP, JSON_LINES } from './options/common.ts'

export const hooks = verb({
  usage: ['hooks [<options>] (install | uninstall | list)'],
  options: { ...JSON_LINES, ...HELP },
  examples: [
    ['git deploy hooks install', 'a short plan after commits to a cluster'],
    ['git deploy hooks list', 'which hooks there are, and where'],
    ['git deploy hooks uninstall', 'back to what was there before'],
  ],
  command: words => ({ kind: 'hooks', action: hookAction(words) }),
})

function hookAction(words: Words) {
  // Not documented: the post-commit hook runs it.
  if (words.words[0] === 'run') return oneOf(['post-commit'], { ...words, words: words.words.slice(1) })
  return oneOf(['install', 'uninstall', 'list'], words)
}
