/** What a killed predecessor left: finished before anything else is answered. */

import { type HostState, MissingObject, readHosts } from '../src/plan/host-state.ts'
import { BASE } from '../src/plan/places.ts'
import { readAll } from '../src/plan/reading.ts'
import type { DeploymentId, Hello, Obstacle } from '../src/protocol/messages.ts'
import type { Agent, Identity } from './agent.ts'
import { endUndone, finishHeld } from './ending.ts'
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
 * Brings the host to old or new and says which; null where nothing was left. A journal that cannot be read is set
 * aside, and stops every deployment but a repair. Called under the lock. Throws Foreign for what another build has to
 * finish.
 */
export function recover(agent: Recovering): Hello['recovered'] {
  const { machine, store, identity } = agent
  const journal = readJournal(machine, identity)
  if (journal === undefined) return recoverSetAside(agent)
  if (journal === 'damaged' || (journal === 'empty' && wasActivating(machine, store)))
    return setAside(machine)
  if (journal === 'empty') {
    // Killed while it made the journal: nothing had been written besides.
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

/** What a host that lost its bearings says to everybody but those who come to mend it. */
export function findDamage({ files }: Machine, store: Store): Obstacle | undefined {
  const current = store.ref('current')
  const what = files.stat(DAMAGED_JOURNAL)
    ? 'a deployment was cut off, and its journal cannot be read'
    : current !== null && !store.isCommit(current)
      ? `the host's record of what it runs is damaged: there is no commit ${current}`
      : undefined
  return what === undefined ? undefined : { what, hint: REPAIR }
}

/** The remedy for what cannot be read on the host, but is known to the operator's repository. */
export const REPAIR = "'git deploy --repair' puts the host back to what your repository has deployed there"

/** Whether the journal was emptied by something else: what was tried last had begun, and never ended. */
function wasActivating({ files }: Machine, store: Store): boolean {
  const tried = lastTried(store)
  return tried !== undefined && findOutcome(files, tried) === undefined
}

function lastTried(store: Store): DeploymentId | undefined {
  return /^deploy (\S+): tried$/.exec(store.lastMove('target')?.message ?? '')?.[1]
}

function finish(machine: Machine, store: Store, journal: Journal): Hello['recovered'] {
  const { header } = journal
  if (store.ref('current') === header.to) {
    const state = stateAt(store, journal)
    // Without knowing what holds, nobody can tell what is to be collected.
    if (state === undefined) return setAside(machine)
    finishHeld(machine, journal, state)
    return { id: header.id, outcome: 'held' }
  }
  const { leftovers, hindered, goingDown } = undo(journal, contextOf(machine, journal), store)
  // The journal stays, and the next session does this again.
  if (hindered || goingDown) throw new Error(`deployment ${header.id} is not undone yet: ${leftovers[0]}`)
  if (journal.prepared.length === 0 && lastTried(store) !== header.id) {
    // Killed while it staged: as little happened as if it had been refused, and no more is remembered of it.
    removeJournal(machine)
    return null
  }
  const outcome = endUndone(machine, journal, 'the agent was killed or lost power', leftovers)
  return { id: header.id, outcome }
}

/** What the deployment's commit declares; undefined where the store has lost a part of that. */
function stateAt(store: Store, { header }: Journal): HostState | undefined {
  try {
    const tree = store.commit(header.to)?.tree
    return tree && readAll(readHosts([tree]), oids => store.read(oids))[0]
  } catch (error) {
    if (error instanceof BadObject || error instanceof MissingObject) return undefined
    throw error
  }
}
