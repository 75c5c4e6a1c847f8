import type { Deployed } from '../deployed.ts'
import type { Oid } from '../plan/names.ts'
import { git, PLAIN_LOG, type Repository } from './git.ts'

const FORMAT = [
  '%H',
  '%(trailers:key=Deptool-Source,valueonly,separator=)',
  '%ar',
  '%aI',
  '%aN',
  '%(trailers:key=Deptool-Deployment,valueonly,separator=)',
].join('%x00')

/** What the commits of hosts say about the deployments that made them. */
export async function readDeployed(
  repo: Repository,
  commits: readonly Oid[],
): Promise<Map<string, Deployed>> {
  if (commits.length === 0) return new Map()
  const args = ['log', '--no-walk=unsorted', '--stdin', ...PLAIN_LOG, `--format=${FORMAT}`]
  const { stdout } = await git(repo, args, { input: commits.map(commit => `${commit}\n`).join('') })
  const lines = stdout.toString().trimEnd().split('\n')
  return new Map(lines.map(line => parseDeployed(line)))
}

function parseDeployed(line: string): [string, Deployed] {
  const [commit = '', source = '', when = '', at = '', who = '', deployment = ''] = line.split('\0')
  return [commit, { source: source.trim(), when, at, who, deployment: deployment.trim() }]
}
