/** Finishing what a killed agent has left, before anything else is answered. */

import { type DeploymentId, deploymentId } from '../src/plan/deployment-id.ts'
import { type HostState, MissingObject, readHosts } from '../src/plan/host-state.ts'
import { BASE } from '../src/plan/places.ts'
import { readAll } from '../src/plan/reading.ts'
import type { Hello, Obstacle } from '../src/protocol/messages.ts'
import type { Agent, Identity } from './agent.ts'
import { endUndone, finishKept } from './ending.ts'
import type { Machine } from './host/machine.ts'
import { DAMAGED_JOURNAL, JOURNAL } from './host/paths.ts'
import { contextOf } from './steps/action.ts'
import { Foreign } from './store/foreign.ts'
import { type Journal, removeJournal } from './store/journal.ts'
import { BadObject } from './store/object.ts'
import { findOutcome } from './store/outcomes.ts'
import { readJournal } from './store/read-journal.ts'
import type { Store } from './store/store.ts'
import { undo } from './undo.ts'

/**
 * Brings the host to the old or the new state and returns which; null if there was nothing to do. A journal that cannot
 * be read is set aside, and only a repair is possible then. Called under the lock. Throws Foreign if another build has to
 * finish the deployment.
 */
export function recover(agent: Recovering): Hello['recovered'] {
  const { machine, store, identity } = agent
  const journal = readJournal(machine, identity)
  if (journal === undefined) return recoverSetAside(agent)
  if (journal === 'damaged' || (journal === 'empty' && wasActivating(machine, store)))
    return setAside(machine)
  if (journal === 'empty') {
    // Killed while it created the journal, before it changed anything.
    removeJournal(machine)
    return null
  }
  return finish(machine, store, journal)
}

type Recovering = Pick<Agent, 'machine' | 'store' | 'identity'>

function setAside({ files }: Machine): null {
  files.rename(JOURNAL, DAMAGED_JOURNAL)
  files.sync(BASE)
  return null
}

/** A build before the formats sets every journal with one aside. If nothing has held since, it can still be finished. */
function recoverSetAside({ machine, store, identity }: Recovering): Hello['recovered'] {
  const journal = readSetAside(machine, identity)
  const current = store.ref('current')
  if (!journal || (current !== journal.header.from && current !== journal.header.to)) return null
  machine.files.rename(DAMAGED_JOURNAL, JOURNAL)
  return finish(machine, store, journal)
}

/** One that another build has to finish waits for that, or for a repair. */
function readSetAside(machine: Machine, identity: Identity): Journal | undefined {
  try {
    const journal = readJournal(machine, identity, DAMAGED_JOURNAL)
    return typeof journal === 'object' ? journal : undefined
  } catch (error) {
    if (error instanceof Foreign) return undefined
    throw error
  }
}

/** Why only a repair is possible; undefined if other deployments are too. */
export function findDamage({ files }: Machine, store: Store): Obstacle | undefined {
  const current = store.ref('current')
  const what = files.stat(DAMAGED_JOURNAL)
    ? 'a deployment was interrupted, and its journal cannot be read'
    : current !== null && !store.isCommit(current)
      ? `the host's record of what it runs is damaged: commit ${current} is missing`
      : undefined
  return what === undefined ? undefined : { what, hint: REPAIR }
}

/** If something cannot be read on the host, and the operator's repository has it. */
export const REPAIR = "run 'git deploy --repair' to restore what your repository has deployed to the host"

/** Whether the journal was emptied by something else: the last deployment had begun, and has no record of its end. */
function wasActivating({ files }: Machine, store: Store): boolean {
  const tried = lastTried(store)
  return tried !== undefined && findOutcome(files, tried) === undefined
}

function lastTried(store: Store): DeploymentId | undefined {
  const [, id = ''] = /^deploy (\S+): tried$/.exec(store.lastMove('target')?.message ?? '') ?? []
  return deploymentId(id)
}

function finish(machine: Machine, store: Store, journal: Journal): Hello['recovered'] {
  const { header } = journal
  if (store.ref('current') === header.to) {
    const state = stateAt(store, journal)
    // Without the deployed state, what to collect is unknown.
    if (state === undefined) return setAside(machine)
    finishKept(machine, journal, state)
    return { id: header.id, outcome: 'held' }
  }
  const { leftovers, diskFailed, goingDown } = undo(journal, contextOf(machine, journal), store)
  // The journal stays, and the next session does this again.
  if (diskFailed || goingDown)
    throw new Error(`deployment ${header.id} is not rolled back yet: ${leftovers[0]}`)
  if (journal.prepared.length === 0 && lastTried(store) !== header.id) {
    // Killed while it staged: nothing has changed, so this is not recorded, like a refusal.
    removeJournal(machine)
    return null
  }
  const outcome = endUndone(machine, journal, 'the agent was killed, or the host lost power', leftovers)
  return { id: header.id, outcome }
}

/** The state that the deployment's commit declares; undefined if the store has lost a part of it. */
function stateAt(store: Store, { header }: Journal): HostState | undefined {
  try {
    const tree = store.commit(header.to)?.tree
    return tree && readAll(readHosts([tree]), oids => store.read(oids))[0]
  } catch (error) {
    if (error instanceof BadObject || error instanceof MissingObject) return undefined
    throw error
  }
}
