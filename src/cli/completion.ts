import { verb } from './grammar/verb.ts'
import { oneOf } from './grammar/words.ts'
import { HELP } from './options/common.ts'

export const completion = verb({
  usage: ['completion (bash | zsh)'],
  options: HELP,
  examples: [
    ['eval "$(git deploy completion bash)"', 'in ~/.bashrc'],
    ['git deploy completion bash >git-deploy', 'for a directory of bash-completion'],
    ['git deploy completion zsh >_git-deploy', "for a directory of zsh's fpath"],
  ],
  command: words => ({ kind: 'completion', shell: oneOf(['bash', 'zsh'], words) }),
})
