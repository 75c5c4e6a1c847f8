import { git, type Repository } from '../git/git.ts'

/** What git config says about colour, for us or for all of git; null where it is silent. */
export async function readColor(repo: Repository): Promise<string | null> {
  const args = ['config', '--get-regexp', '^color\\.(deptool|ui|pager)$']
  const { stdout } = await git(repo, args, { okCodes: [0, 1] })
  const lines = stdout.toString().trimEnd().split('\n')
  const last = (name: string) => lines.findLast(line => line.startsWith(`${name} `))?.split(' ')[1]
  const when = last('color.deptool') ?? last('color.ui') ?? null
  // A pager counts as a terminal, unless it cannot show colours.
  const paged = repo.env['GIT_PAGER_IN_USE'] === 'true'
  return paged && when !== 'always' && last('color.pager') === 'false' ? 'never' : when
}
