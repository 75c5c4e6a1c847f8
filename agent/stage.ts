/** Staging: everything that can fail without being seen. When it returns 'staged', only activation is left. */

import { conflicts } from '../src/plan/conflicts.ts'
import { makeSteps } from '../src/plan/deployment-steps.ts'
import { digest } from '../src/plan/digest.ts'
import { EMPTY_HOST, type HostState, MissingObject, readHosts } from '../src/plan/host-state.ts'
import type { AppName, Oid } from '../src/plan/names.ts'
import { APPS, BASE, currentOf } from '../src/plan/places.ts'
import { readAll } from '../src/plan/reading.ts'
import { repairSteps } from '../src/plan/repair-steps.ts'
import type { Step } from '../src/plan/steps.ts'
import type { Deploy, Obstacle, Refusal, Reply } from '../src/protocol/messages.ts'
import type { Machine } from './host/machine.ts'
import { preflight } from './preflight.ts'
import { REPAIR } from './recover.ts'
import { checkout } from './steps/checkout.ts'
import { BadObject } from './store/object.ts'
import type { Store } from './store/store.ts'

export interface StagedPlan {
  readonly kind: 'staged'
  readonly steps: readonly Step[]
  readonly next: HostState
  readonly reply: Reply
}

export type Staged = StagedPlan | { readonly kind: 'refused'; readonly refusal: Refusal }

/** Called under the lock, with the journal's header written. Throws SystemFailure. */
export function stage(machine: Machine, store: Store, deploy: Deploy): Staged {
  try {
    return stageWhole(machine, store, deploy)
  } catch (error) {
    if (!(error instanceof BadObject || error instanceof MissingObject)) throw error
    return unreadable(`the host's store is damaged: ${error.message}`)
  }
}

function stageWhole(machine: Machine, store: Store, deploy: Deploy): Staged {
  const commit = store.commit(deploy.to)
  if (commit === undefined) return refused(`the commit ${deploy.to} was not sent`)
  if (commit.parent !== deploy.from)
    return refused(`the commit ${deploy.to} does not follow what is deployed here`)
  const fromTree = deploy.from === null ? null : (store.commit(deploy.from)?.tree ?? null)
  const { repair } = deploy
  if (repair && fromTree !== commit.tree) return refused('a repair does not change what is deployed')
  const next = stateOf(store, commit.tree)
  const old = repair ? next : stateOf(store, fromTree)
  const problem = next.problems[0] ?? conflicts(next)[0]
  if (problem) return refused(`'${problem.file}': ${problem.what}`)

  const steps = repair ? repairSteps(next, repair) : makeSteps(old, next)
  const own = digest({ fromTree, toTree: commit.tree, steps }, text => sha256(machine, text))
  if (own !== deploy.digest) return { kind: 'refused', refusal: { kind: 'plan', steps } }

  const missing = next.apps.flatMap(app => app.files).find(file => !store.has(file.oid))
  if (missing)
    return unreadable(
      `the host's store has lost the object ${missing.oid} ('${missing.path}') of what is deployed`,
    )
  const tight = shortOfSpace(machine, store, steps, next)
  if (tight) return objection([tight])
  const occupied = steps.flatMap(step => (step.kind === 'checkout' ? placeTaken(machine, step.app) : []))
  if (occupied.length > 0) return objection(occupied)
  store.admit()
  for (const step of steps)
    if (step.kind === 'checkout')
      checkout(machine, store, {
        app: appOf(next, step.app)!,
        running: appOf(old, step.app),
        commit: deploy.to,
      })

  const { obstacles, adopted, notes } = preflight(machine, { steps, next, deploy })
  if (obstacles.length > 0) return objection(obstacles)
  // Once for all: a call of fsync(2) for each of 8 files takes 15 ms on ext4, for each of 1,000 some seconds; this 2
  // and 50. What others have written waits with it, but no longer than while nothing here has changed yet.
  machine.files.syncFileSystem(BASE)
  return { kind: 'staged', steps, next, reply: { type: 'staged', adopted, notes } }
}

/** What somebody put where the app's own directory and links go: never followed, and never replaced. */
function placeTaken({ files }: Machine, app: AppName): Obstacle[] {
  const hint = 'move it away, then deploy with --repair'
  const [directory, current] = [files.stat(`${APPS}/${app}`), files.stat(currentOf(app))]
  if (directory && directory.kind !== 'directory')
    return [{ what: `'${APPS}/${app}' is not a directory (${directory.kind}), and not ours`, hint }]
  if (current && current.kind !== 'symlink')
    return [{ what: `'${currentOf(app)}' is not a symbolic link (${current.kind}), and not ours`, hint }]
  return []
}

/** Whatever was sent has been checked: this was here, and the operator's side can send it again. */
function unreadable(what: string): Staged {
  return objection([{ what, hint: REPAIR }])
}

function objection(problems: readonly Obstacle[]): Staged {
  return { kind: 'refused', refusal: { kind: 'preflight', problems } }
}

export function refused(message: string): Staged {
  return { kind: 'refused', refusal: { kind: 'error', message } }
}

function stateOf(store: Store, tree: Oid | null): HostState {
  return tree === null ? EMPTY_HOST : readAll(readHosts([tree]), oids => store.read(oids))[0]!
}

function appOf(state: HostState, name: string) {
  return state.apps.find(app => app.name === name)
}

function sha256(machine: Machine, bytes: Uint8Array): string {
  const hasher = machine.hasher('sha256')
  hasher.update(bytes)
  return hasher.digest()
}

/** How much is to be left on the file system after a checkout, in bytes: room for the undo, the log, the journal. */
const RESERVE = 4 * 1024 * 1024
const RESERVED_INODES = 64

function shortOfSpace(
  machine: Machine,
  store: Store,
  steps: readonly Step[],
  next: HostState,
): Obstacle | undefined {
  const files = steps.flatMap(step => (step.kind === 'checkout' ? appOf(next, step.app)!.files : []))
  const needed = RESERVE + files.reduce((sum, file) => sum + store.storedSize(file.oid) + 4096, 0)
  const space = machine.files.space(BASE)
  const inodes = files.length + RESERVED_INODES
  const short =
    space.bytes < needed
      ? `too little space for '${BASE}': ${mebibytes(space.bytes)} are free, ${mebibytes(needed)} are needed`
      : space.inodes < inodes
        ? `too few inodes for '${BASE}': ${space.inodes} are free, ${inodes} are needed`
        : undefined
  return short === undefined ? undefined : { what: short, hint: 'make room on its file system' }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}
