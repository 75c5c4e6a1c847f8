import type { Words } from './grammar/parse.ts'
import { verb } from './grammar/verb.ts'
import { oneOf } from './grammar/words.ts'
import { HELP, JSON_LINES } from './options/common.ts'

export const hooks = verb({
  usage: ['hooks [<options>] (install | uninstall | list)'],
  options: { ...JSON_LINES, ...HELP },
  examples: [
    ['git deploy hooks install', 'show a short plan after each commit'],
    ['git deploy hooks list', 'list the hooks and their directory'],
    ['git deploy hooks uninstall', 'restore the hooks that were there before'],
  ],
  command: words => ({ kind: 'hooks', action: hookAction(words) }),
})

function hookAction(words: Words) {
  // Not documented: the post-commit hook runs it.
  if (words.words[0] === 'run') return oneOf(['post-commit'], { ...words, words: words.words.slice(1) })
  return oneOf(['install', 'uninstall', 'list'], words)
}
