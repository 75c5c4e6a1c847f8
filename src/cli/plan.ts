import { Misuse } from './grammar/misuse.ts'
import type { Given } from './grammar/option.ts'
import { verb } from './grammar/verb.ts'
import { clusterAndRev } from './grammar/words.ts'
import { COLOR, colorWhen } from './options/color.ts'
import { HELP, JSON_LINES, PRUNE, VERBOSE } from './options/common.ts'
import { SELECTION, selectionOf } from './options/selection.ts'

const OUTPUT = {
  output: { alias: 'o', type: 'string', value: '<file>', describe: "save the plan for 'git deploy apply'" },
} as const

export const plan = verb({
  usage: ['plan [<options>] [<cluster>] [<rev>]'],
  options: {
    'exit-code': { type: 'boolean', describe: 'exit with 2 if changes are pending' },
    ...OUTPUT,
    ...SELECTION,
    short: { type: 'boolean', describe: 'show one line per host' },
    ...PRUNE,
    ...VERBOSE,
    ...JSON_LINES,
    ...COLOR,
    ...HELP,
  },
  examples: [
    ['git deploy plan prod', "show what 'prod/' would change"],
    ['git deploy plan prod main', "the same for the branch 'main'"],
    ['git deploy plan -v prod', 'list every file and host'],
    ['git deploy plan -o p.json prod main', 'save the plan to apply it later'],
    ['git deploy plan --exit-code prod', 'exit with 2 if changes are pending'],
  ],
  command: (words, given) => ({
    kind: 'plan',
    ...clusterAndRev(words),
    selection: selectionOf(given),
    exitCode: given['exit-code'] ?? false,
    short: given.short ?? false,
    prune: given.prune ?? false,
    output: outputOf(given),
    verbose: given.verbose ?? false,
    color: colorWhen(given),
  }),
})

function outputOf({ output, json }: Given<typeof OUTPUT & typeof JSON_LINES>): string | null {
  if (output === '') throw new Misuse("'--output' takes a file, or '-' for stdout")
  if (output === '-' && json) throw new Misuse("'--json' and '--output=-' cannot both write to stdout")
  return output ?? null
}
