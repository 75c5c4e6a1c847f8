/** What a killed predecessor left: finished before anything else is answered. */
import { EMPTY_HOST, type HostState, readHosts } from '../src/plan/host-state.ts'
import { readAll } from '../src/plan/reading.ts'
import type { Hello } from '../src/protocol/messages.ts'
import type { Context } from './action.ts'
import { endUndone, finishHeld } from './ending.ts'
import { type Journal, readJournal, removeJournal } from './journal.ts'
import type { Machine } from './machine.ts'
import type { Store } from './store.ts'
import { undo } from './undo.ts'

/** Brings the host to old or new and says which; null where nothing was left. Called under the lock. */
export function recover(machine: Machine, store: Store): Hello['recovered'] {
  const journal = readJournal(machine)
  if (journal === undefined) return null
  if (journal === 'empty') {
    // Killed while it made the journal: nothing had been written besides.
    removeJournal(machine)
    return null
  }
  return finish(machine, store, journal)
}

function finish(machine: Machine, store: Store, journal: Journal): Hello['recovered'] {
  const { header } = journal
  if (store.ref('current') === header.to) {
    finishHeld(machine, header, stateAt(store, journal))
    return { id: header.id, outcome: 'held' }
  }
  const context: Context = { machine, header, interrupted: () => undefined }
  const leftovers = undo(journal, context, store)
  const outcome = endUndone(machine, header, 'the agent was killed or lost power', leftovers)
  return { id: header.id, outcome }
}

function stateAt(store: Store, { header }: Journal): HostState {
  const tree = store.commit(header.to)?.tree
  return tree ? readAll(readHosts([tree]), oids => store.read(oids))[0]! : EMPTY_HOST
}
