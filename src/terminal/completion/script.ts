/** Scripts that make a shell complete `git deploy`, from the same grammar that reads the command line. */
import type { CompletedVerb } from '../../command.ts'
import { bashScript } from './bash.ts'
import { zshScript } from './zsh.ts'

export function completionScript(shell: 'bash' | 'zsh', verbs: readonly CompletedVerb[]): string {
  return { bash: bashScript, zsh: zshScript }[shell](verbs)
}
