import { Misuse } from './grammar/misuse.ts'
import { verb } from './grammar/verb.ts'
import { atMost } from './grammar/words.ts'
import { COLOR } from './options/color.ts'
import { HELP, JSON_LINES, PROGRESS, VERBOSE } from './options/common.ts'
import { DEPLOYING, deployOptions } from './options/deploying.ts'

export const apply = verb({
  usage: ['apply [<options>] <file>'],
  options: { ...DEPLOYING, ...VERBOSE, ...PROGRESS, ...JSON_LINES, ...COLOR, ...HELP },
  examples: [
    ['git deploy apply p.json', 'deploy exactly this plan'],
    ['git deploy apply -n p.json', 'show it, and check that it can be applied'],
    ['git deploy apply --yes - <p.json', 'read the plan from stdin, do not ask'],
  ],
  command: (words, given) => ({
    kind: 'apply',
    file: planFile(atMost(words, 1)),
    ...deployOptions(given),
  }),
})

function planFile([file]: readonly string[]): string {
  if (file === undefined)
    throw new Misuse(
      'no saved plan given',
      "run 'git deploy plan -o <file>' to save one; '-' stands for stdin",
    )
  return file
}
