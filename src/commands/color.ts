import { git, type Repository } from '../git/git.ts'

/** What git config says about colour, for us or for all of git; null where it is silent. */
export async function readColor(repo: Repository): Promise<string | null> {
  const args = ['config', '--get-regexp', '^color\\.(deptool|ui)$']
  const { stdout } = await git(repo, args, { okCodes: [0, 1] })
  const lines = stdout.toString().trimEnd().split('\n')
  const ours = lines.findLast(line => line.startsWith('color.deptool'))
  return (ours ?? lines.at(-1))?.split(' ')[1] ?? null
}
