/** The cluster that a command is about, and its directory. */
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, posix, relative, resolve } from 'node:path'
import { Fatal, NoDirectory } from '../errors.ts'
import type { Repository } from '../git/git.ts'
import { type ClusterName, clusterName, type HostName } from '../plan/names.ts'
import { didYouMean, nearest } from '../plan/suggest.ts'
import { shellWord } from '../terminal/shell-word.ts'
import { VERB_NAMES } from '../verb-names.ts'
import type { RepositoryReading } from './repository-state.ts'

export interface Cluster {
  readonly name: ClusterName
  /** Below the root of the repository, `/`-separated. */
  readonly path: string
  /** As the operator would type it in the current directory. */
  readonly shown: string
  /** What was typed in front of it, as in 'git deploy plan': hints keep to it, so that none deploys for a plan. */
  readonly command: string
}

/** A command that names no cluster, and one for which it makes no difference. */
const DEPLOY = 'git deploy'

/** If none is named, the configured one, or the only one that was deployed. Throws Fatal if there is neither. */
export async function findCluster(
  repo: Repository,
  given: string | null,
  { config, tracking: tracked }: Pick<RepositoryReading, 'config' | 'tracking'>,
  { command }: Pick<Cluster, 'command'>,
): Promise<Cluster> {
  const at = (given: string, normal: string) => clusterAt(repo, { given, normal, command })
  if (given !== null) return at(given, pathFrom(repo, given))
  const [{ cluster: configured }, tracking] = await Promise.all([config, tracked])
  if (configured !== null) return at(configured, posix.normalize(configured))
  const deployed = [...new Set([...tracking.values()].flatMap(({ cluster }) => cluster ?? []))]
  if (deployed.length === 1) return at(deployed[0]!, deployed[0]!)
  const names = deployed.length > 0 ? deployed : candidates(repo)
  throw new Fatal('no cluster given', {
    hint:
      names.length > 0
        ? names
            .slice(0, 5)
            .map(name => `${command} ${command === DEPLOY ? typed(name) : shellWord(name)}`)
            .join('\n')
        : "run 'git deploy init' to create one",
  })
}

/** A cluster's path as a word of the command line, where the name of a command would be taken for the command. */
export function typed(path: string): string {
  return shellWord(VERB_NAMES.some(name => name === path) ? `./${path}` : path)
}

/** As the command line names it; its directory may not exist. */
export function clusterNamed(repo: Repository, given: string): Cluster {
  return clusterAt(repo, { given, normal: pathFrom(repo, given), command: DEPLOY })
}

/** `path` is from the root of the repository, wherever the command was started. */
export function clusterAtTop(repo: Repository, path: string): Cluster {
  return clusterAt(repo, { given: path, normal: posix.normalize(path), command: DEPLOY })
}

/** Where another cluster beside this one would have the host, below the root of the repository. */
export function besideOf({ path }: Cluster, other: ClusterName, host: HostName): string {
  return posix.join(posix.dirname(path), other, host)
}

/** On disk. Throws Fatal if it does not exist. */
export function directoryOf(repo: Repository, { shown, path, command }: Cluster): string {
  if (repo.topLevel === null)
    throw new Fatal(`cannot read '${shown}': this repository has no working tree`, {
      hint: `name a revision, as in '${takesRevision(command) ? command : 'git deploy plan'} ${shown} HEAD'`,
    })
  const dir = join(repo.topLevel, path)
  if (isDirectory(dir)) return dir
  if (existsSync(dir)) throw new Fatal(`cannot read '${shown}': it is not a directory`, { hint: SHAPE })
  throw new NoDirectory(`cannot read '${shown}': there is no such directory`, {
    hint: meant(shown, candidates(repo), repo.topLevel),
  })
}

function takesRevision(command: string): boolean {
  return ['', ' plan', ' diff', ' check'].includes(command.slice(DEPLOY.length))
}

/**
 * For a word in the place of a cluster that neither the disk nor a commit has: the command that it may be a slip for,
 * with what followed it.
 */
export function meantCommand(
  repo: Repository,
  { shown, path, command }: Cluster,
  operands: readonly string[],
): string | undefined {
  const there = repo.topLevel !== null && existsSync(join(repo.topLevel, path))
  if (command !== DEPLOY || shown.includes('/') || there) return undefined
  const verb = nearest(shown, VERB_NAMES)
  if (verb === undefined || nearest(shown, candidates(repo)) !== undefined) return undefined
  return `did you mean '${[DEPLOY, verb, ...operands.map(shellWord)].join(' ')}'?`
}

const SHAPE = 'the layout of a cluster is <cluster>/<host>/<app>/…'

/** The word may be a slip for a cluster, a host of one, or a command: whatever is not a command is taken for a cluster. */
function meant(word: string, clusters: readonly string[], topLevel: string): string {
  const around = word.includes('/')
    ? undefined
    : clusters.find(name => isDirectory(join(topLevel, name, word)))
  if (around !== undefined)
    return `'${word}' is a host of '${around}': to select it, use '${around} --limit ${word}'`
  const verb = nearest(word, VERB_NAMES)
  if (nearest(word, clusters) === undefined) {
    if (verb !== undefined) return `did you mean 'git deploy ${verb}'?`
    if (word === 'help' || word === 'version') return `did you mean 'git deploy --${word}'?`
  }
  if (clusters.length === 0)
    return (
      didYouMean(word, below(topLevel)) ?? `run 'git deploy init ${shellWord(word)}' to create it; ${SHAPE}`
    )
  const names = clusters.slice(0, 5).map(name => `'${name}'`)
  return `the clusters of this repository are ${names.join(', ')}`
}

/** The directories at the top that look like clusters: they hold hosts, which hold apps. */
export function candidates({ topLevel }: Repository): string[] {
  if (topLevel === null) return []
  return below(topLevel).filter(name =>
    below(join(topLevel, name)).some(host => below(join(topLevel, name, host)).length > 0),
  )
}

function below(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(entry => entry.name)
}

/** From the current directory; from the root, if the path exists only there. */
function pathFrom({ topLevel, prefix, cwd }: Repository, given: string): string {
  if (isAbsolute(given)) return topLevel === null ? given : relative(topLevel, realParent(given))
  const here = posix.normalize(posix.join(prefix, given))
  const elsewhere =
    topLevel !== null && !existsSync(resolve(cwd, given)) && isDirectory(join(topLevel, given))
  return elsewhere ? posix.normalize(given) : here
}

/** Git resolves symbolic links in `topLevel`, so those in front of the repository are resolved here too. */
function realParent(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path))
  } catch {
    return path // it does not exist, which directoryOf reports
  }
}

interface Named {
  readonly given: string
  readonly normal: string
  readonly command: string
}

function clusterAt({ prefix }: Repository, { given, normal, command }: Named): Cluster {
  const path = normal.replace(/\/+$/, '')
  if (path === '..' || path.startsWith('../') || isAbsolute(path))
    throw new Fatal(`cannot use '${given}' as a cluster: it is outside this repository`)
  const name = path === '.' || path === '' ? undefined : clusterName(basename(path))
  if (name === undefined)
    throw new Fatal(`cannot use '${given}' as a cluster`, {
      hint: 'use a directory of this repository whose name does not begin with a dot',
    })
  return { name, path, shown: posix.relative(prefix, path) || '.', command }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
