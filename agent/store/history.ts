/** Sends the part of the host's history that the operator's repository does not have. */
import type { Oid } from '../../src/plan/names.ts'
import { parseTree } from '../../src/plan/tree.ts'
import type { Fetch, Fetched, ObjectChunk } from '../../src/protocol/messages.ts'
import type { Agent } from '../agent.ts'
import type { Wire } from '../frames.ts'
import type { Machine } from '../host/machine.ts'
import { BadObject } from './object.ts'
import { readOutcomes } from './outcomes.ts'
import type { Store } from './store.ts'

/**
 * Answers 'fetch', without the lock: a deployment in progress only adds objects and moves `current`, which is read once.
 * Contents go before the trees that name them and old commits before new ones, so that what has arrived is complete.
 */
export function sendHistory({ machine, wire, store }: Agent, { have }: Fetch): void {
  const current = store.ref('current')
  try {
    const batch = new Batch(wire, store)
    for (const oid of missing(store, current, have)) if (!batch.add(oid)) return
    batch.flush()
    wire.send({ type: 'fetched', current, ...readLog(machine, store) })
  } catch (error) {
    if (!(error instanceof BadObject)) throw error
    wire.send({ type: 'refused', refusal: { kind: 'error', message: error.message } })
  }
}

/** The objects of the commits after `have`, up to `current`. */
function* missing(store: Store, current: Oid | null, have: Oid | null): Generator<Oid> {
  const commits: { readonly oid: Oid; readonly tree: Oid }[] = []
  let at = current
  while (at !== null && at !== have) {
    const commit = store.commit(at)
    if (commit === undefined) throw new BadObject(at, 'is missing')
    commits.push({ oid: at, tree: commit.tree })
    at = commit.parent
  }
  const seen = new Set<Oid>()
  const shared = at === null ? undefined : store.commit(at)?.tree
  // Marks them as seen: the other side has these.
  if (shared !== undefined) for (const _ of objectsOf(store, shared, seen));
  for (const { oid, tree } of commits.reverse()) {
    yield* objectsOf(store, tree, seen)
    yield oid
  }
}

/** A tree and everything below it, except what is in `seen`; the tree comes last. */
function* objectsOf(store: Store, tree: Oid, seen: Set<Oid>): Generator<Oid> {
  if (seen.has(tree)) return
  seen.add(tree)
  const raw = store.read([tree]).get(tree)
  if (raw === undefined) throw new BadObject(tree, 'is missing')
  for (const entry of parseTree(raw, tree.length / 2)) {
    if (entry.kind === 'tree') yield* objectsOf(store, entry.oid, seen)
    else if (!seen.has(entry.oid)) {
      seen.add(entry.oid)
      yield entry.oid
    }
  }
  yield tree
}

function readLog({ files }: Machine, store: Store): Pick<Fetched, 'log' | 'unread'> {
  const { outcomes, unread } = readOutcomes(files)
  // Of a deployment that succeeded, the commit itself is sent.
  const log = outcomes.map(record => ({
    ...record,
    subject: record.outcome === 'held' ? null : subjectOf(store, record.to),
  }))
  return { log, unread }
}

function subjectOf(store: Store, commit: Oid): string | null {
  try {
    return store.commit(commit)?.subject ?? null
  } catch (error) {
    // A damaged commit of a failed deployment is not worth a failure.
    if (error instanceof BadObject) return null
    throw error
  }
}

/** In bytes of objects; a message may exceed it by one piece. */
const BATCH = 256 * 1024

class Batch {
  private readonly wire: Wire
  private readonly store: Store
  private chunks: ObjectChunk[] = []
  private size = 0

  constructor(wire: Wire, store: Store) {
    this.wire = wire
    this.store = store
  }

  /** false once the operator's side has gone. */
  add(oid: Oid): boolean {
    let heard = true
    this.store.readStored(oid, (bytes, last) => {
      this.chunks.push({ oid, bytes, last })
      this.size += bytes.length
      if (this.size >= BATCH) heard = this.flush() && heard
    })
    return heard
  }

  flush(): boolean {
    const objects = this.chunks
    this.chunks = []
    this.size = 0
    return objects.length === 0 || this.wire.send({ type: 'objects', objects })
  }
}
