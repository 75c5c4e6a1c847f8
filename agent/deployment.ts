/** One deployment on this host, from 'deploy' to its end: stage, activate, settle, confirm or undo. */
import type { HostState } from '../src/plan/host-state.ts'
import { APPS, BASE, STORE } from '../src/plan/places.ts'
import type { Deploy, Failure, Refusal } from '../src/protocol/messages.ts'
import { activate, type Prefetched, prefetch } from './activate.ts'
import type { Agent } from './agent.ts'
import { awaitConfirmation, TERMINATED, withdrawn } from './confirmation.ts'
import { endUndone, keep } from './ending.ts'
import { describeError } from './host/errors.ts'
import { makeDirectories } from './host/files.ts'
import type { Holder } from './host/lock.ts'
import type { Machine } from './host/machine.ts'
import { BACKUP } from './host/paths.ts'
import { sshConnection } from './host/ssh-connection.ts'
import { findDamage, recover } from './recover.ts'
import { refused, type Staged, type StagedPlan, stage } from './stage.ts'
import { contextOf } from './steps/action.ts'
import { JournalWriter } from './store/journal.ts'
import { findOutcome } from './store/outcomes.ts'
import { undo } from './undo.ts'

export function deploy(agent: Agent, request: Deploy): void {
  const refusal = open(agent, request)
  if (refusal) agent.wire.send({ type: 'refused', refusal })
  else run(agent, request)
}

function run(agent: Agent, request: Deploy): void {
  const { machine, wire, identity } = agent
  const { id, operator, from, to } = request
  const journal = new JournalWriter(machine, identity, {
    id,
    operator,
    from,
    to,
    started: machine.now(),
    bootId: machine.bootId(),
  })
  const staged = stageSafely(agent, request)
  if (staged?.kind !== 'staged') {
    abandon(agent, journal, staged?.refusal)
    return
  }
  wire.send(staged.reply)
  const prefetched = prefetch(staged.steps, contextOf(machine, journal))
  const until = machine.ticks() + PREFETCHED_MS
  const next = wire.next(Number.POSITIVE_INFINITY)
  if (machine.terminated() || typeof next === 'string' || next.type !== 'activate') abandon(agent, journal)
  else
    carryOut(agent, request, journal, {
      ...staged,
      prefetched: machine.ticks() < until ? prefetched : undefined,
    })
}

/** How long systemd's answers are believed. */
const PREFETCHED_MS = 500

interface Ready extends StagedPlan {
  readonly prefetched: Prefetched | undefined
}

/** Takes the lock, finishes what a killed agent left, and checks that the plan starts from what is deployed. */
function open(agent: Agent, request: Deploy): Refusal | undefined {
  const { machine, lock, store, hostname } = agent
  if (hostname !== request.host) return { kind: 'hostname', found: hostname }
  makeDirectories(machine.files, BASE, 0o755)
  if (!lock.take()) return { kind: 'busy', ...lock.inProgress() }
  // Signed after the recovery: until then, sessions that ask about the killed agent's deployment wait for its end.
  recover(agent)
  lock.sign(signature(machine, request))
  const before = findOutcome(machine.files, request.id)
  if (before) return { kind: 'spent', outcome: before.outcome, why: before.why }
  const damage = findDamage(machine, store)
  if (damage && !request.repair) return { kind: 'preflight', problems: [damage] }
  const current = store.ref('current')
  // If the host's own record is damaged, the operator who repairs it knows better.
  if (current !== request.from && !damage) return { kind: 'stale', current }
  makeDirectories(machine.files, APPS, 0o755)
  for (const directory of [STORE, BACKUP]) makePrivate(machine.files, directory)
  store.prepare(request.to.length)
  return undefined
}

/** deptool may have left the directory readable for all. */
function makePrivate(files: Machine['files'], directory: string): void {
  makeDirectories(files, directory, 0o700)
  const { kind, mode } = files.stat(directory)!
  if (kind === 'directory' && mode !== 0o700) files.chmod(directory, 0o700)
}

function signature(machine: Machine, { operator, id, reconnect }: Deploy): Holder {
  const connection = reconnect ? sshConnection(machine.files) : undefined
  return { operator, id, since: machine.now(), ...(connection === undefined ? {} : { connection }) }
}

/** Receives the objects and stages; undefined if the operator's side has gone or withdrawn. */
function stageSafely({ machine, wire, store }: Agent, request: Deploy): Staged | undefined {
  try {
    for (;;) {
      const next = wire.next(Number.POSITIVE_INFINITY)
      if (next === 'end' && wire.broken !== undefined) return refused(wire.broken)
      if (typeof next === 'string' || next.type === 'undo') return undefined
      if (next.type === 'stage') return stage(machine, store, request)
      if (next.type !== 'objects') return refused(`unexpected request '${next.type}'`)
      for (const chunk of next.objects) store.receive(chunk)
    }
  } catch (error) {
    return refused(describeError(error))
  }
}

function error(message: string): Refusal {
  return { kind: 'error', message }
}

/** Ends a deployment that was only staged: nothing of it remains. */
function abandon({ machine, wire, store }: Agent, journal: JournalWriter, refusal?: Refusal): void {
  const { id } = journal.header
  undo(journal, contextOf(machine, journal), store)
  journal.finish()
  // Whoever ends the agent also ends what it runs: a failing `validate` is not the app's fault then.
  const why = machine.terminated() ? error(TERMINATED) : refusal
  if (why) wire.send({ type: 'refused', refusal: why })
  else wire.send({ type: 'outcome', id, outcome: 'undone', why: 'withdrawn before it was activated' })
}

function carryOut(agent: Agent, request: Deploy, journal: JournalWriter, ready: Ready): void {
  const { machine, wire, store } = agent
  const failure =
    attempt(agent, journal, ready) ??
    awaitConfirmation(agent, request) ??
    keepOrFail(agent, journal, ready.next)
  if (failure === undefined) {
    wire.send({ type: 'outcome', id: request.id, outcome: 'held', why: '' })
    return
  }
  const { leftovers, diskFailed, goingDown } = undo(journal, contextOf(machine, journal), store)
  // The session that finishes this after the boot reports how it ended.
  if (goingDown) return
  try {
    if (!diskFailed) endUndone(machine, journal, failure.message, leftovers)
  } catch {
    // The disk is full: the journal stays, and the next session does this again.
  }
  wire.send({ type: 'undone', failure, leftovers })
}

/** Once the ref has moved the deployment has succeeded, whatever fails then: the next session finishes it. */
function keepOrFail({ machine, store }: Agent, journal: JournalWriter, next: HostState): Failure | undefined {
  try {
    keep(machine, store, journal, next)
    return undefined
  } catch (error) {
    return store.ref('current') === journal.header.to
      ? undefined
      : { step: null, message: describeError(error), units: [] }
  }
}

function attempt(
  agent: Agent,
  journal: JournalWriter,
  { steps, next, prefetched }: Ready,
): Failure | undefined {
  const { machine, wire, store } = agent
  const { id, to, operator } = journal.header
  // Read from the wire once, and kept for later calls.
  let why: string | undefined
  try {
    store.setRef('target', to, operator, `deploy ${id}: tried`)
    return activate(
      steps,
      contextOf(machine, journal, () => {
        why ??= withdrawn(agent, id)
        return why
      }),
      {
        journal,
        prefetched,
        enabled: next.apps.flatMap(app => app.manifest.unitsEnabled),
        onStep: index => wire.send({ type: 'step', index }),
      },
    )
  } catch (error) {
    return { step: null, message: describeError(error), units: [] }
  }
}
