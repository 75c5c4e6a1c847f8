import type { CommandOf } from '../command.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { git, type Repository } from '../git/git.ts'
import type { Oid } from '../plan/names.ts'
import { type Deployed, renderStatus } from '../terminal/status.ts'
import type { Context } from './context.ts'
import { planOffline } from './plan-offline.ts'

/** `git deploy status`: what each host runs, as far as this repository knows, and whether that is what it should. */
export async function status(command: CommandOf<'status'>, context: Context): Promise<ExitCode> {
  const { repo, config, plan, hosts, tracking, color } = await planOffline(
    { cluster: command.cluster, rev: null },
    context,
  )
  const tracked = [...hosts, ...plan.vanished].flatMap(host => tracking.get(host) ?? [])
  const deployed = await readDeployed(
    repo,
    tracked.map(({ commit }) => commit),
  )
  const { terminal } = context
  const rows = {
    plan,
    hosts,
    deployed: new Map(tracked.map(({ host, commit }) => [host, deployed.get(commit)!])),
    abbrev: config.abbrev,
  }
  terminal.out(renderStatus(rows, terminal.colors(command.color ?? color)).join('\n'))
  return EXIT.done
}

const FORMAT = ['%H', '%(trailers:key=Deptool-Source,valueonly,separator=)', '%ar', '%aN'].join('%x00')

/** What the commits of hosts say about the deployments that made them. */
async function readDeployed(repo: Repository, commits: readonly Oid[]): Promise<Map<string, Deployed>> {
  if (commits.length === 0) return new Map()
  const args = ['log', '--no-walk=unsorted', '--stdin', '--no-show-signature', `--format=${FORMAT}`]
  const { stdout } = await git(repo, args, { input: commits.map(commit => `${commit}\n`).join('') })
  return new Map(
    stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map(line => {
        const [commit = '', source = '', when = '', who = ''] = line.split('\0')
        return [commit, { source: source.trim(), when, who }]
      }),
  )
}
