/** Commits of hosts, read: who deployed, when, what. */
import type { HostCommit } from '../host-commit.ts'
import { deploymentId } from '../plan/deployment-id.ts'
import { clusterName, must, type Oid, oid } from '../plan/names.ts'
import { git, PLAIN_LOG, type Repository } from './git.ts'
import { trailerFormat } from './trailers.ts'

/** The commits that lead to `to` and not to `from`, the newest first. */
export function readCommitsBetween(repo: Repository, from: Oid | null, to: Oid): Promise<HostCommit[]> {
  return log(repo, ['--topo-order', ...(from === null ? [] : [`^${from}`]), to], '')
}

/** These commits alone, as far as they are here. */
export async function readHostCommits(
  repo: Repository,
  commits: readonly Oid[],
): Promise<Map<Oid, HostCommit>> {
  if (commits.length === 0) return new Map()
  const input = commits.map(commit => `${commit}\n`).join('')
  const read = await log(repo, ['--ignore-missing', '--no-walk=unsorted', '--stdin'], input)
  return new Map(read.map(one => [one.commit, one]))
}

/** What git is asked of each commit, for each field of HostCommit: `date` and `at` are two views of one. */
const FIELDS = {
  commit: '%H',
  tree: '%T',
  parents: '%P',
  subject: '%s',
  author: '%an <%ae>',
  who: '%aN',
  date: '%at',
  at: '%aI',
  when: '%ar',
  cluster: trailerFormat('cluster'),
  source: trailerFormat('source'),
  deployment: trailerFormat('deployment'),
} as const satisfies { readonly [K in keyof HostCommit]: string }

const NAMES = Object.keys(FIELDS) as (keyof HostCommit)[]
const FORMAT = Object.values(FIELDS).join('%x00')

async function log(repo: Repository, args: readonly string[], input: string): Promise<HostCommit[]> {
  const { stdout } = await git(repo, ['log', '-z', ...PLAIN_LOG, `--format=${FORMAT}`, ...args], { input })
  const values = stdout.toString().split('\0')
  return Array.from({ length: Math.floor(values.length / NAMES.length) }, (_, i) => {
    const fields = NAMES.map((name, field) => [name, values[i * NAMES.length + field]!])
    return parse(Object.fromEntries(fields) as { [K in keyof HostCommit]: string })
  })
}

function parse(fields: { readonly [K in keyof HostCommit]: string }): HostCommit {
  const { subject, author, who, when } = fields
  const date = dateOf(fields.date)
  const source = fields.source.trim()
  return {
    commit: must(oid, fields.commit),
    tree: must(oid, fields.tree),
    parents: fields.parents.split(' ').flatMap(parent => oid(parent) ?? []),
    ...{ subject, author, who, date, when },
    at: INSTANT.test(fields.at) ? fields.at : date.toISOString(),
    cluster: clusterName(fields.cluster.trim()) ?? null,
    source: SOURCE.test(source) ? source : '',
    deployment: deploymentId(fields.deployment.trim()) ?? null,
  }
}

/** In seconds since 1970. A date that there is none of is where git, too, has those: at the beginning. */
function dateOf(seconds: string): Date {
  return new Date(/^\d{1,11}$/.test(seconds) ? Number(seconds) * 1000 : 0)
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)$/

/** An object's name or a word, as git/history.ts writes them: it goes into the commits of later rollbacks. */
const SOURCE = /^[0-9a-z]{1,64}(?:\+dirty)?$/
