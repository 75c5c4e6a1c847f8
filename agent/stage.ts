/** Staging: whatever can fail before anything visible changes. */

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
import type { Wanted } from './host/contents.ts'
import type { Machine } from './host/machine.ts'
import { strangerAt } from './host/walk.ts'
import { preflight } from './preflight.ts'
import { REPAIR } from './recover.ts'
import { shortOfSpace } from './space.ts'
import { checkout } from './steps/checkout.ts'
import type { JournalWriter } from './store/journal.ts'
import { BadObject } from './store/object.ts'
import type { Store } from './store/store.ts'

export interface StagedPlan {
  readonly kind: 'staged'
  readonly steps: readonly Step[]
  readonly next: HostState
  readonly reply: Reply
}

interface Refused {
  readonly kind: 'refused'
  readonly refusal: Refusal
}

export type Staged = StagedPlan | Refused

interface Staging {
  readonly deploy: Deploy
  readonly journal: JournalWriter
  readonly wanted: Wanted
}

/** Called under the lock, with the journal's header written. Throws SystemFailure and Unwanted. */
export function stage(machine: Machine, store: Store, staging: Staging): Staged {
  try {
    return stageWhole(machine, store, staging)
  } catch (error) {
    if (!(error instanceof BadObject || error instanceof MissingObject)) throw error
    // Objects are checked when they arrive, so this one was here before; a repair sends it again.
    return objection([{ what: `the host's store is damaged: ${error.message}`, hint: REPAIR }])
  }
}

function stageWhole(machine: Machine, store: Store, { deploy, journal, wanted }: Staging): Staged {
  const derived = derive(machine, store, deploy)
  if ('refusal' in derived) return derived
  const { steps, old, next } = derived
  const unwritable = findUnwritable(machine, store, derived)
  if (unwritable.length > 0) return objection(unwritable)
  journal.sync()
  for (const step of steps)
    if (step.kind === 'checkout')
      checkout(machine, store, {
        app: appOf(next, step.app)!,
        running: appOf(old, step.app),
        commit: deploy.to,
        wanted,
      })
  const { obstacles, adopted, notes } = preflight(machine, { steps, next, deploy, wanted })
  if (obstacles.length > 0) return objection(obstacles)
  // syncfs(2) takes 2 ms for 8 files on ext4, and 50 for 1,000; fsync(2) for each file takes 15 ms and some seconds.
  // It also waits for what others have written, but nothing has changed here while it does.
  machine.files.syncFileSystem(BASE)
  return { kind: 'staged', steps, next, reply: { type: 'staged', adopted, notes } }
}

interface Derived {
  readonly steps: readonly Step[]
  readonly old: HostState
  readonly next: HostState
}

/** The plan, derived from the trees again: refused unless the operator accepted this one. */
function derive(machine: Machine, store: Store, deploy: Deploy): Derived | Refused {
  const commit = store.commit(deploy.to)
  if (commit === undefined) return refused(`commit ${deploy.to} was not sent`)
  if (commit.parent !== deploy.from) return refused(`commit ${deploy.to} does not follow the deployed commit`)
  const fromTree = deploy.from === null ? null : (store.commit(deploy.from)?.tree ?? null)
  const { repair } = deploy
  if (repair && fromTree !== commit.tree) return refused('a repair must not change what is deployed')
  const next = stateOf(store, commit.tree)
  const old = repair ? next : stateOf(store, fromTree)
  const problem = next.problems[0] ?? conflicts(next)[0]
  if (problem) return refused(`'${problem.file}': ${problem.what}`)
  const steps = repair ? repairSteps(next, repair) : makeSteps(old, next)
  const own = digest({ fromTree, toTree: commit.tree, steps }, text => sha256(machine, text))
  if (own !== deploy.digest) return { kind: 'refused', refusal: { kind: 'plan', steps } }
  return { steps, old, next }
}

function findUnwritable(machine: Machine, store: Store, { steps, next }: Derived): Obstacle[] {
  const missing = next.apps.flatMap(app => app.files).find(file => !store.has(file.oid))
  if (missing)
    return [
      {
        what: `the host's store has lost object ${missing.oid} ('${missing.path}') of the deployed version`,
        hint: REPAIR,
      },
    ]
  const files = steps.flatMap(step => (step.kind === 'checkout' ? appOf(next, step.app)!.files : []))
  const tight = shortOfSpace(machine, store, files)
  if (tight) return [tight]
  return steps.flatMap(step => (step.kind === 'checkout' ? placeTaken(machine, step.app) : []))
}

/** Somebody has replaced the app's directory or its `current`: neither is followed, nor replaced. */
function placeTaken(machine: Machine, app: AppName): Obstacle[] {
  const { files } = machine
  const hint = "move it away, then run 'git deploy --repair'"
  const [directory, current] = [files.stat(`${APPS}/${app}`), files.stat(currentOf(app))]
  if (directory && directory.kind !== 'directory')
    return [
      {
        what: `'${APPS}/${app}' is not a directory (${directory.kind}), and git-deploy did not make it`,
        hint,
      },
    ]
  if (current && current.kind !== 'symlink')
    return [
      {
        what: `'${currentOf(app)}' is not a symbolic link (${current.kind}), and git-deploy did not make it`,
        hint,
      },
    ]
  const stranger = strangerAt(machine, `${APPS}/${app}`)
  if (stranger !== undefined)
    return [
      { what: stranger, hint: "make root its owner with chown and chmod, then run 'git deploy --repair'" },
    ]
  return []
}

function objection(problems: readonly Obstacle[]): Refused {
  return { kind: 'refused', refusal: { kind: 'preflight', problems } }
}

export function refused(message: string): Refused {
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
