import { verb } from './grammar/verb.ts'
import { clusterAndRev } from './grammar/words.ts'
import { HELP, JSON_LINES, PRUNE } from './options/common.ts'
import { SELECTION, selectionOf } from './options/selection.ts'

export const diff = verb({
  usage: ['diff [<options>] [<cluster>] [<rev>] [--] [<host>/<path>…]'],
  options: { ...SELECTION, ...PRUNE, ...JSON_LINES, ...HELP },
  handsOn: true,
  examples: [
    ['git deploy diff prod', 'show the pending changes, line by line'],
    ['git deploy diff prod v1.2 --stat', 'show which files v1.2 would change'],
    ['git deploy diff --word-diff prod', "use any option of 'git diff'"],
    ['git deploy diff prod -- web1', 'only one host'],
    ["git deploy diff prod -- '*/nginx'", 'only one app, on every host'],
  ],
  command: (words, given) => ({
    kind: 'diff',
    prune: given.prune ?? false,
    // JSON has no use for the options of git diff.
    ...clusterAndRev(given.json ? words : { ...words, unknown: [], paths: null }),
    selection: selectionOf(given),
    options: words.unknown,
    paths: words.paths ?? [],
  }),
})
