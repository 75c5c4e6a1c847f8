/**
 * A colleague's change that a plan would undo: a file for which the plan has what the merge base has, and the host
 * something else. Judged per app, by the deployment that last changed it.
 */
import { existsSync } from 'node:fs'
import { join, posix } from 'node:path'
import { type CommitObject, parseCommit } from '../git/commit-object.ts'
import type { Repository } from '../git/git.ts'
import { readOperator } from '../git/history.ts'
import type { ObjectReader } from '../git/objects.ts'
import type { Tracked } from '../git/refs.ts'
import type { AppFile, HostState } from '../plan/host-state.ts'
import { type AppName, type HostName, type Oid, oid } from '../plan/names.ts'
import type { AppPlan, HostPlan } from '../plan/plan.ts'
import type { TakenBack } from '../plan/taken-back.ts'
import { parseTree } from '../plan/tree.ts'
import { findContained, mergeBase } from './ancestry.ts'
import { readStates } from './read-states.ts'

interface Basis {
  readonly repo: Repository
  readonly objects: ObjectReader
  /** Below the root of the repository. */
  readonly clusterPath: string
  /** What is deployed, or what the working tree is based on. */
  readonly tip: Oid
}

export interface Change {
  readonly plan: HostPlan
  readonly next: HostState
}

/** Starts git only where a host does not run what `tip` contains. */
export async function findTakenBack(
  basis: Basis,
  changes: readonly Change[],
  tracking: ReadonlyMap<HostName, Tracked>,
): Promise<TakenBack[]> {
  const { tip, objects } = basis
  const deployed = await Promise.all(
    changes.map(async change => {
      const was = tracking.get(change.plan.host)
      const source = was && sourceOf(await beforeRepairs(was, objects))
      return was && source ? [{ change, was, source }] : []
    }),
  )
  // As a rule all come from what is deployed, or from a commit shortly before it.
  const doubtful = deployed.flat().filter(({ source }) => source.commit !== tip || source.dirty)
  if (doubtful.length === 0) return []
  const { contained } = await findContained(new Set(doubtful.map(({ source }) => source.commit)), tip, basis)
  const open = doubtful.filter(({ source }) => source.dirty || !contained.has(source.commit))
  if (open.length === 0) return []
  const suspects = await Promise.all(open.map(({ change, was }) => suspectsOf(change, was, objects)))
  return judge(basis, suspects.flat())
}

interface From {
  readonly commit: Oid
  readonly dirty: boolean
}

/** Undefined where no commit is said: nothing can be compared with that. */
function sourceOf(text: string): From | undefined {
  const [name = '', dirty] = text.split('+')
  const commit = oid(name)
  return commit && { commit, dirty: dirty !== undefined }
}

/** A repair deploys the same tree again, and says nothing of where that came from. */
async function beforeRepairs({ commit, source }: Tracked, objects: ObjectReader): Promise<string> {
  let said = source
  let at: Oid | undefined = commit
  while (said === 'repair' && at !== undefined) {
    const [parent]: readonly Oid[] = (await readCommit(at, objects))?.parents ?? []
    said = (parent && (await readCommit(parent, objects))?.source) ?? ''
    at = parent
  }
  return said
}

async function readCommit(commit: Oid, objects: ObjectReader): Promise<CommitObject | undefined> {
  const object = await objects.readTyped(commit)
  return object?.type === 'commit' ? parseCommit(object.content) : undefined
}

/** Apps of one host that one deployment last changed. */
interface Suspect {
  readonly change: Change
  readonly apps: readonly AppPlan[]
  readonly from: From
  readonly author: CommitObject['author']
}

async function suspectsOf(change: Change, was: Tracked, objects: ObjectReader): Promise<Suspect[]> {
  const found = await lastChanges(was.commit, change.plan.apps, objects)
  return [...found].flatMap(([commit, apps]): Suspect[] => {
    const from = sourceOf(commit.source)
    return from ? [{ change, apps, from, author: commit.author }] : []
  })
}

/** Further back, all is taken to be of one deployment. */
const MOST_DEPLOYMENTS = 500

/** The commits of a host that last changed the apps, each with those. */
async function lastChanges(
  newest: Oid,
  apps: readonly AppPlan[],
  objects: ObjectReader,
): Promise<Map<CommitObject, AppPlan[]>> {
  const found = new Map<CommitObject, AppPlan[]>()
  let left = [...apps]
  let at = await readHostCommit(newest, objects)
  for (let n = 0; at !== undefined && left.length > 0; n++) {
    const { commit, trees }: HostCommitTrees = at
    const [parent] = commit.parents
    const before = parent && n < MOST_DEPLOYMENTS ? await readHostCommit(parent, objects) : undefined
    const changed = left.filter(({ app }) => before === undefined || before.trees.get(app) !== trees.get(app))
    if (changed.length > 0) found.set(commit, changed)
    left = left.filter(one => !changed.includes(one))
    at = before
  }
  return found
}

interface HostCommitTrees {
  readonly commit: CommitObject
  readonly trees: ReadonlyMap<string, Oid>
}

async function readHostCommit(name: Oid, objects: ObjectReader): Promise<HostCommitTrees | undefined> {
  const commit = await readCommit(name, objects)
  const tree = commit?.tree && (await objects.readTyped(commit.tree))
  if (!commit || tree?.type !== 'tree') return undefined
  const entries = parseTree(tree.content, name.length / 2)
  return { commit, trees: new Map(entries.map(({ name, oid }) => [name, oid])) }
}

async function judge(basis: Basis, suspects: readonly Suspect[]): Promise<TakenBack[]> {
  const { repo, tip } = basis
  const sources = new Set(suspects.map(({ from }) => from.commit))
  const [{ contained, missing }, me] = await Promise.all([
    findContained(sources, tip, basis),
    readOperator(repo).catch(() => null), // Planning needs no identity: then nothing is one's own.
  ])
  const own = me && /<([^<>]*)>$/.exec(me)?.[1]?.toLowerCase()
  const bases = new Map<Oid, Promise<Oid | null>>()
  const baseOf = (source: Oid) => {
    const base = bases.get(source) ?? mergeBase(repo, source, tip)
    bases.set(source, base)
    return base
  }
  const isShallow = existsSync(join(repo.commonDir, 'shallow'))
  const found = await Promise.all(
    suspects.map(async (suspect): Promise<TakenBack[]> => {
      const { from, author, change } = suspect
      const about = { host: change.plan.host, source: from.commit, by: author.name }
      const unknown = { ...about, kind: isShallow ? 'shallow' : 'missing', subject: null, files: [] } as const
      if (missing.has(from.commit)) return [unknown]
      const isContained = contained.has(from.commit)
      if (isContained && !from.dirty) return []
      const base = isContained ? from.commit : await baseOf(from.commit)
      // What its history was cut off from may be anything.
      if (base === null && isShallow) return [unknown]
      const kind = isContained ? 'dirty' : base === tip ? 'newer' : 'commit'
      if (kind !== 'newer' && author.email.toLowerCase() === own) return []
      const files = await takenBackFiles(suspect, base, basis)
      if (files.length === 0) return []
      const subject = (await readCommit(from.commit, basis.objects))?.subject ?? null
      return [{ ...about, kind, subject, files }]
    }),
  )
  return together(found.flat())
}

async function takenBackFiles(
  { change, apps }: Suspect,
  base: Oid | null,
  { objects, clusterPath }: Basis,
): Promise<TakenBack['files']> {
  const { plan, next } = change
  const tree = base && (await objects.readTyped(`${base}:${posix.join(clusterPath, plan.host)}`))
  const was = tree?.type === 'tree' ? (await readStates([tree.oid], objects)).get(tree.oid) : undefined
  return apps.flatMap(({ app, files }) => {
    const [before, after] = [filesOf(was, app), filesOf(next, app)]
    return files.flatMap(({ path }) => (isSame(before.get(path), after.get(path)) ? [{ app, path }] : []))
  })
}

function filesOf(state: HostState | undefined, app: AppName): ReadonlyMap<string, AppFile> {
  const files = state?.apps.find(({ name }) => name === app)?.files ?? []
  return new Map(files.map(file => [file.path, file]))
}

function isSame(a: AppFile | undefined, b: AppFile | undefined): boolean {
  return a?.oid === b?.oid && a?.mode === b?.mode
}

/** Two deployments from one commit are told as one. */
function together(found: readonly TakenBack[]): TakenBack[] {
  const all = new Map<string, TakenBack>()
  for (const one of found) {
    const key = [one.host, one.source, one.kind, one.by].join('\0')
    const same = all.get(key)
    all.set(key, same ? { ...same, files: [...same.files, ...one.files] } : one)
  }
  return [...all.values()]
}
