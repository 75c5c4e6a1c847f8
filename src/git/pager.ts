/** The operator's pager, as git chooses it. */
import { spawn } from 'node:child_process'
import { git, type Repository } from './git.ts'

/** Shows text in the pager; resolves when it was quit. False where there is none to show it in. */
export async function page(repo: Repository, text: string): Promise<boolean> {
  const { code, stdout } = await git(repo, ['var', 'GIT_PAGER'], { okCodes: [0, 1] })
  const pager = stdout.toString().trim()
  if (code !== 0 || pager === '' || pager === 'cat') return false
  return new Promise(resolve => {
    // Git hands its pager to a shell too, with these where they are not set (core.pager in git-config(1)).
    const env = { LESS: 'FRX', LV: '-c', ...repo.env }
    const child = spawn('sh', ['-c', pager], { env, stdio: ['pipe', 'inherit', 'inherit'] })
    child.on('error', () => resolve(false))
    child.on('close', code => resolve(code !== 127 && code !== 126))
    // Quit before it had read everything.
    child.stdin.on('error', () => {})
    child.stdin.end(text)
  })
}
