/** Moving what this repository knows of its hosts: tracking refs and the history of the fleet, all or nothing. */
import { setTimeout as sleep } from 'node:timers/promises'
import { git, type Repository } from '../git/git.ts'
import type { Account } from '../git/history.ts'
import { commitFleet } from '../git/history.ts'
import {
  FLEET_REF,
  isContention,
  type RefChange,
  type Refs,
  readOutsideFleet,
  readRefs,
  trackingRef,
  updateRefs,
} from '../git/refs.ts'
import { type Entry, makeTree } from '../git/tree-object.ts'
import type { HostName, Oid } from '../plan/names.ts'
import { jittered } from '../random.ts'

export interface Move {
  readonly host: HostName
  /** Where the ref was when the host was asked; null if it did not exist. */
  readonly from: Oid | null
  /** What the host runs; null if it is no longer tracked. */
  readonly to: { readonly commit: Oid; readonly tree: Oid } | null
}

export interface Occasion extends Account {
  /** For the reflogs. */
  readonly message: string
  /** Commits that belong in the history of the fleet, though no ref will point at them. */
  readonly passing?: readonly Oid[]
}

/** How often another process may be quicker. */
const TRIES = 10

/**
 * One transaction. The fleet gets a commit if its hosts differ from its newest one, or if its history lacks commits of
 * hosts. Another process that moves refs at the same time goes first, and what it wrote is kept: git then refuses
 * `prepared`, what prepareMoves made of the same moves earlier, and it is prepared again.
 */
export async function moveRefs(
  repo: Repository,
  moves: readonly Move[],
  occasion: Occasion,
  prepared?: readonly RefChange[],
): Promise<void> {
  for (let tries = 1; ; tries++)
    try {
      const changes = (tries === 1 && prepared) || (await prepareMoves(repo, moves, occasion))
      return await updateRefs(repo, changes, occasion.message)
    } catch (error) {
      if (tries === TRIES || !isContention(error)) throw error
      await sleep(jittered(15 * tries, repo.random))
    }
}

/** Writes the fleet's next commit. Returns the refs to move. */
export async function prepareMoves(
  repo: Repository,
  moves: readonly Move[],
  occasion: Occasion,
): Promise<RefChange[]> {
  const refs = await readRefs(repo)
  const { fleet } = refs
  const due: Move[] = []
  for (const move of moves) {
    const from = refs.hosts.get(move.host) ?? null
    if (await isDue(repo, move, from)) due.push({ ...move, from })
  }
  const trees = new Map(refs.trees)
  for (const { host, to } of due) to === null ? trees.delete(host) : trees.set(host, to.tree)
  const outside = fleet === null ? refs.hosts : await readOutsideFleet(repo, fleet.commit)
  const parents = new Map([...outside].filter(([host]) => trees.has(host)))
  for (const { host, to } of due) to === null ? parents.delete(host) : parents.set(host, to.commit)
  const commit = await nextFleet(repo, fleet, { trees, parents: [...parents.values()], occasion })
  return [
    ...due.map(({ host, from, to }) => ({ ref: trackingRef(host), from, to: to?.commit ?? null })),
    ...(commit === null ? [] : [{ ref: FLEET_REF, from: fleet?.commit ?? null, to: commit }]),
  ]
}

/** Whether the ref, which is at `now`, still has to be moved. */
async function isDue(repo: Repository, { from, to }: Move, now: Oid | null): Promise<boolean> {
  if (now === (to?.commit ?? null)) return false
  if (now === from || now === null) return true
  // A later answer of the host is already recorded.
  return to !== null && !(await isAncestor(repo, to.commit, now))
}

async function isAncestor(repo: Repository, old: Oid, young: Oid): Promise<boolean> {
  const { code } = await git(repo, ['merge-base', '--is-ancestor', old, young], { okCodes: [0, 1] })
  return code === 0
}

interface Fleet {
  readonly trees: ReadonlyMap<HostName, Oid>
  readonly parents: readonly Oid[]
  readonly occasion: Occasion
}

/** Null if there is nothing to record. */
async function nextFleet(
  repo: Repository,
  previous: Refs['fleet'],
  { trees, parents, occasion }: Fleet,
): Promise<Oid | null> {
  const { message: _, passing = [], ...account } = occasion
  const known = [...passing, ...parents]
  if (known.length === 0 && isSameTree(repo, previous, trees)) return null
  return commitFleet(repo, { ...account, hosts: trees, previous: previous?.commit ?? null, parents: known })
}

function isSameTree({ format }: Repository, fleet: Refs['fleet'], trees: Fleet['trees']): boolean {
  if (fleet === null) return trees.size === 0
  const entries = [...trees].map(([name, oid]): Entry => ({ mode: '40000', name, oid }))
  return makeTree(entries, format).oid === fleet.tree
}
