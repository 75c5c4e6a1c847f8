import { verb } from './grammar/verb.ts'
import { oneOf } from './grammar/words.ts'
import { HELP } from './options/common.ts'

export const completion = verb({
  usage: ['completion (bash | zsh)'],
  options: HELP,
  examples: [
    ['eval "$(git deploy completion bash)"', 'put this line into ~/.bashrc'],
    ['git deploy completion bash >git-deploy', 'or write a file for bash-completion'],
    ['git deploy completion zsh >_git-deploy', "write a file for zsh's fpath"],
  ],
  command: words => ({ kind: 'completion', shell: oneOf(['bash', 'zsh'], words) }),
})
