import { relative } from 'node:path'
import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { EXIT, type ExitCode, Fatal, reasonOf } from '../errors.ts'
import type { Repository } from '../git/git.ts'
import { type HookFile, installHooks, listHooks, uninstallHooks } from '../git/hook-files.ts'
import { knownClusters } from '../planning/changed-clusters.ts'
import { beginReading } from '../planning/repository-state.ts'
import { postCommit } from './post-commit.ts'

/** `git deploy hooks`: puts our hooks beside those that exist, and removes them again. */
export async function hooks({ action }: CommandOf<'hooks'>, context: Context): Promise<ExitCode> {
  if (action === 'post-commit') return postCommit(context)
  const reading = beginReading(context)
  const repo = await reading.repo
  const directory = repo.hooksDir
  const files = change(action, directory)
  const { terminal } = context
  terminal.out(`hooks in '${shown(directory, repo)}':`)
  const width = Math.max(...files.map(({ name }) => name.length))
  for (const { name, what } of files) {
    context.emit({ type: 'hook', name, what })
    terminal.out(`    ${name.padEnd(width)}  ${what}`)
  }
  if (action === 'install' && (await knownClusters(reading)).length === 0)
    terminal.note(
      "hint: this repository has no cluster yet, so the hook shows nothing; run 'git deploy init <cluster>' to choose one",
    )
  return EXIT.done
}

/** The hooks as they are afterwards. */
function change(action: keyof typeof DO, directory: string): HookFile[] {
  try {
    return DO[action](directory)
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error
    throw new Fatal(`cannot ${action} the hooks in '${directory}': ${reasonOf(error)}`, { cause: error })
  }
}

const DO: { readonly [action in 'install' | 'uninstall' | 'list']: (directory: string) => HookFile[] } = {
  install: installHooks,
  uninstall: uninstallHooks,
  list: listHooks,
}

function shown(directory: string, { cwd }: Repository): string {
  const path = relative(cwd, directory)
  return path.startsWith('../../..') ? directory : path
}
