import type { CommandOf } from '../command.ts'
import type { Context } from '../context.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import type { Config } from '../git/config.ts'
import { ObjectReader } from '../git/objects.ts'
import { type Snapshot, snapshotStaged } from '../git/snapshot.ts'
import type { HostState } from '../plan/host-state.ts'
import { notesOn } from '../plan/notes.ts'
import type { Problem } from '../plan/problem.ts'
import { findCluster } from '../planning/cluster.ts'
import { filterProblems } from '../planning/filtered.ts'
import { locateIn, type Whereabouts } from '../planning/locate-problem.ts'
import { problemsOf, readStates } from '../planning/read-states.ts'
import { refuseHost } from '../planning/refuse-cluster.ts'
import { beginReading } from '../planning/repository-state.ts'
import { forgetLost, snapshotOf } from '../planning/snapshot-of.ts'
import { checkRecord, renderCheck } from '../terminal/text/check.ts'
import { placeProblems, problemRecord, type Severity } from '../terminal/text/problems.ts'

/** `git deploy check`: everything that is wrong with a config tree, on all hosts, whatever is deployed. */
export async function check(command: CommandOf<'check'>, context: Context): Promise<ExitCode> {
  const examined = await examine(command, context)
  const { cluster, states, config, objects } = examined
  const problems = await Promise.all([
    place([...errorsIn(examined), ...(await filteredIn(examined))], 'error', examined),
    place(notesIn(examined), 'note', examined),
  ])
  objects.close()
  const result = {
    cluster: cluster.name,
    hosts: states.length,
    apps: states.reduce((sum, { apps }) => sum + apps.length, 0),
    problems: problems.flat(),
  }
  for (const problem of result.problems) context.emit(problemRecord(problem))
  context.emit(checkRecord(result))
  const { terminal } = context
  terminal.say(renderCheck(result, terminal.colors(command.color ?? config.color)).join('\n'))
  return result.problems.some(({ severity }) => severity === 'error') ? EXIT.failed : EXIT.done
}

interface Examined extends Whereabouts {
  readonly snapshot: Snapshot
  /** In the order of the hosts in the snapshot. */
  readonly states: readonly HostState[]
  readonly config: Config
}

async function examine(command: CommandOf<'check'>, context: Context): Promise<Examined> {
  const reading = beginReading(context)
  const repo = await reading.repo
  const objects = new ObjectReader(repo)
  const [cluster, config, tracking] = await Promise.all([
    findCluster(repo, command.cluster, reading, context),
    reading.config,
    reading.tracking,
  ])
  refuseHost(cluster, tracking)
  const read = () => readTree({ repo, cluster, objects, config }, command)
  const tree = await read().catch(error => {
    if (command.rev !== null) throw error
    forgetLost(error, repo, cluster)
    return read()
  })
  return { repo, cluster, source: tree.snapshot.source, objects, config, ...tree }
}

async function readTree(
  { repo, cluster, objects, config }: Omit<Whereabouts, 'source'> & Pick<Examined, 'config'>,
  { staged, rev }: CommandOf<'check'>,
): Promise<Pick<Examined, 'snapshot' | 'states'>> {
  const snapshot = await (staged
    ? snapshotStaged(repo, cluster.path, objects)
    : snapshotOf(repo, cluster, rev, { objects, config: Promise.resolve(config) }))
  const trees = snapshot.hosts.map(({ tree }) => tree)
  const states = await readStates(trees, objects)
  return { snapshot, states: trees.map(tree => states.get(tree)!) }
}

function errorsIn({ snapshot, states }: Examined): Problem[] {
  const { hosts, problems } = snapshot
  return [...problems, ...hosts.flatMap(({ host }, i) => problemsOf(host, states[i]!))]
}

function filteredIn(examined: Examined): Promise<Problem[]> {
  const { snapshot, states, source } = examined
  return filterProblems(
    examined,
    source,
    snapshot.hosts.map(({ host }, i) => ({ host, state: states[i]! })),
  )
}

function notesIn({ snapshot: { hosts }, states }: Examined): Problem[] {
  return hosts.flatMap(({ host }, i) =>
    states[i]!.apps.length === 0
      ? [{ file: host, what: 'the host has no apps: each app needs a directory in it' }]
      : notesOn(states[i]!).map(note => ({ ...note, file: `${host}/${note.file}` })),
  )
}

async function place(problems: readonly Problem[], severity: Severity, where: Whereabouts) {
  return placeProblems(await Promise.all(problems.map(problem => locateIn(problem, where))), severity)
}
