/** Deployments as the commits of hosts tell them: who, when, what. */
import type { HostCommitSaid } from '../news.ts'
import { must, type Oid, oid } from '../plan/names.ts'
import { git, PLAIN_LOG, type Repository } from './git.ts'

const FIELDS = [
  '%H',
  '%T',
  '%P',
  '%(trailers:key=Deptool-Deployment,valueonly,separator=)',
  '%(trailers:key=Deptool-Source,valueonly,separator=)',
  '%an <%ae>',
  '%at',
  '%s',
]
const FORMAT = FIELDS.join('%x00')

/** The commits that lead to `to` and not to `from`, the newest first. */
export function readCommits(repo: Repository, from: Oid | null, to: Oid): Promise<HostCommitSaid[]> {
  return log(repo, ['--topo-order', ...(from === null ? [] : [`^${from}`]), to], '')
}

/** These commits alone, as far as they are here. */
export async function readEach(repo: Repository, commits: readonly Oid[]): Promise<Map<Oid, HostCommitSaid>> {
  if (commits.length === 0) return new Map()
  const input = commits.map(commit => `${commit}\n`).join('')
  const said = await log(repo, ['--ignore-missing', '--no-walk=unsorted', '--stdin'], input)
  return new Map(said.map(one => [one.commit, one]))
}

async function log(repo: Repository, args: readonly string[], input: string): Promise<HostCommitSaid[]> {
  const { stdout } = await git(repo, ['log', '-z', ...PLAIN_LOG, `--format=${FORMAT}`, ...args], { input })
  const fields = stdout.toString().split('\0')
  const count = Math.floor(fields.length / FIELDS.length)
  return Array.from({ length: count }, (_, i) =>
    parse(fields.slice(i * FIELDS.length, (i + 1) * FIELDS.length)),
  )
}

function parse(fields: readonly string[]): HostCommitSaid {
  const [
    commit = '',
    tree = '',
    parents = '',
    deployment = '',
    source = '',
    author = '',
    at = '',
    subject = '',
  ] = fields
  return {
    commit: must(oid, commit),
    tree: must(oid, tree),
    parents: parents.split(' ').flatMap(parent => oid(parent) ?? []),
    deployment: deployment.trim(),
    source: source.trim(),
    author,
    date: new Date(Number(at) * 1000),
    subject,
  }
}
