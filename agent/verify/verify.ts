/** Whether the host still has what was deployed. Changes nothing. */
import type { Finding } from '../../src/plan/drift.ts'
import { EMPTY_HOST, type HostState, MissingObject, readHosts } from '../../src/plan/host-state.ts'
import type { Manifest } from '../../src/plan/manifest.ts'
import type { Oid } from '../../src/plan/names.ts'
import { readAll } from '../../src/plan/reading.ts'
import type { Verified } from '../../src/protocol/messages.ts'
import type { Agent } from '../agent.ts'
import { DAMAGED_JOURNAL } from '../host/paths.ts'
import { inProgressElsewhere } from '../in-progress.ts'
import type { Comparing } from '../steps/checkout.ts'
import { BadObject } from '../store/object.ts'
import { lastOutcome } from '../store/outcomes.ts'
import type { Store } from '../store/store.ts'
import { findDriftOfApps } from './apps.ts'
import { findDriftOfLinks } from './links.ts'
import { findDriftOfUnits } from './units.ts'

/** The most findings that are sent. */
const MOST = 5000

/** Answers 'verify'. No findings if a deployment is in progress at the beginning or at the end. */
export function verify(agent: Agent): Verified {
  const { machine, store } = agent
  const before = store.ref('current')
  const found = inProgressElsewhere(agent) ? [] : findDrift(agent, before)
  const last = lastOutcome(machine.files)
  const ended = last ? { id: last.id, outcome: last.outcome, why: last.why } : null
  // A deployment that began and ended meanwhile counts as one in progress.
  const pending = store.ref('current') === before ? inProgressElsewhere(agent) : agent.lock.inProgress()
  return { type: 'verified', findings: pending ? [] : found.slice(0, MOST), pending, last: ended }
}

function findDrift(agent: Agent, current: Oid | null): Finding[] {
  const { machine, store, wire } = agent
  const wanted = () => !machine.terminated() && !wire.withdrawn()
  const findings: Finding[] = machine.files.stat(DAMAGED_JOURNAL) ? [{ kind: 'journal' }] : []
  const last = lastOutcome(machine.files)
  if (last?.outcome === 'damaged') findings.push({ kind: 'damaged', id: last.id, why: last.why })
  const state = stateIn(store, current)
  if ('kind' in state) return [...findings, state]
  return [
    ...findings,
    ...findBadObjects(store, state),
    ...Object.values(FIND).flatMap(find => find({ machine, store, wanted }, state)),
  ]
}

/** What finds drift of the tree's files, and of what each key of a manifest declares. */
const FIND: {
  readonly [K in 'tree' | keyof Manifest]: (comparing: Comparing, state: HostState) => Finding[]
} = {
  tree: findDriftOfApps,
  // Also links from special directories.
  symlinks: ({ machine }, state) => findDriftOfLinks(machine, state),
  unitsEnabled: ({ machine }, state) => (machine.systemd ? findDriftOfUnits(machine, state) : []),
  // Compared with the files.
  files: nothing,
  // For deployments only.
  unitsReload: nothing,
  settleMs: nothing,
  validate: nothing,
  checks: nothing,
}

function nothing(): Finding[] {
  return []
}

function stateIn(store: Store, current: Oid | null): HostState | Finding {
  if (current === null) return EMPTY_HOST
  try {
    const commit = store.commit(current)
    if (commit === undefined) return { kind: 'object', oid: current }
    return readAll(readHosts([commit.tree]), oids => store.read(oids))[0]!
  } catch (error) {
    if (error instanceof MissingObject || error instanceof BadObject)
      return { kind: 'object', oid: error.oid }
    throw error
  }
}

/** Objects of files; those of trees and manifests have been read by now. */
function findBadObjects(store: Store, { apps }: HostState): Finding[] {
  const oids = new Set(apps.flatMap(app => app.files.map(file => file.oid)))
  return [...oids].filter(oid => !isWhole(store, oid)).map(oid => ({ kind: 'object', oid }))
}

function isWhole(store: Store, oid: Oid): boolean {
  try {
    store.copyBlob(oid, { write() {} })
    return true
  } catch (error) {
    if (error instanceof BadObject) return false
    throw error
  }
}
