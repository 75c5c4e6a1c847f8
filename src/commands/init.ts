import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { EXIT, type ExitCode, Fatal } from '../errors.ts'
import { readConfig, setConfig } from '../git/config.ts'
import { openRepository, type Repository } from '../git/git.ts'
import { type Cluster, candidates, clusterNamed, typed } from '../planning/cluster.ts'
import { shellWord } from '../terminal/shell-word.ts'

/** `git deploy init`: makes a directory the default cluster, and creates it if it is missing. */
export async function init(command: CommandOf<'init'>, context: Context): Promise<ExitCode> {
  const { terminal } = context
  const repo = await repositoryHere(context)
  const { cluster: configured } = await readConfig(repo)
  const top = { ...repo, prefix: '' }
  const cluster =
    command.cluster === null
      ? clusterNamed(top, configured ?? onlyCandidate(repo) ?? 'prod')
      : clusterNamed(repo, command.cluster)
  const dir = join(repo.topLevel ?? '', cluster.path)
  const created = createDirectory(dir, cluster)
  if (configured !== cluster.path) await setConfig(repo, 'deptool.cluster', cluster.path)
  context.emit({ type: 'init', cluster: cluster.path, created })
  if (created) terminal.out(`created '${cluster.path}/'`)
  terminal.out(`in this repository, 'git deploy' is now short for 'git deploy ${typed(cluster.path)}'`)
  terminal.out(nextSteps(cluster.path, { hasHosts: hasHosts(dir) }))
  return EXIT.done
}

async function repositoryHere(context: Context): Promise<Repository> {
  const repo = await openRepository(context).catch(error => {
    if (!(error instanceof Fatal) || !error.message.includes('not a git repository')) throw error
    throw new Fatal(error.message, { hint: "run 'git init' to create one here", cause: error })
  })
  if (repo.topLevel === null) throw new Fatal('cannot create a cluster: this repository has no working tree')
  return repo
}

function onlyCandidate(repo: Repository): string | undefined {
  const [first, ...others] = candidates(repo)
  return others.length === 0 ? first : undefined
}

/** Whether it did not exist. */
function createDirectory(dir: string, { path }: Cluster): boolean {
  const found = statSync(dir, { throwIfNoEntry: false })
  if (found && !found.isDirectory()) throw new Fatal(`cannot create '${path}': a file with this name exists`)
  if (!found) mkdirSync(dir, { recursive: true })
  return !found
}

function hasHosts(dir: string): boolean {
  return readdirSync(dir, { withFileTypes: true }).some(
    entry => entry.isDirectory() && !entry.name.startsWith('.'),
  )
}

function nextSteps(path: string, { hasHosts }: { hasHosts: boolean }): string {
  const first = hasHosts
    ? []
    : [
        "add a host that 'ssh web1' reaches, with an app:",
        '',
        `    mkdir -p ${shellWord(`${path}/web1/hello`)}`,
        `    echo 'Hello.' >${shellWord(`${path}/web1/hello/greeting.txt`)}`,
        '',
      ]
  return [
    '',
    ...first,
    'see what would be deployed, then deploy it:',
    '',
    '    git deploy plan',
    '    git deploy',
    '',
    "for more, run 'git help deploy'",
  ].join('\n')
}
