/** One deployment on this host, from 'deploy' to its end: stage, activate, settle, confirm or undo. */
import type { HostState } from '../src/plan/host-state.ts'
import { APPS, BASE, STORE } from '../src/plan/places.ts'
import type { Deploy, Failure, Refusal } from '../src/protocol/messages.ts'
import { activate, type Foreseen, foresee } from './activate.ts'
import type { Agent } from './agent.ts'
import { awaitConfirmation, TERMINATED, withdrawn } from './confirmation.ts'
import { endUndone, hold } from './ending.ts'
import { makeDirectories } from './host/files.ts'
import type { Holder } from './host/lock.ts'
import type { Machine } from './host/machine.ts'
import { BACKUP } from './host/paths.ts'
import { sshConnection } from './host/ssh-connection.ts'
import { wordsFor } from './host/trouble.ts'
import { findDamage, recover } from './recover.ts'
import { refused, type Staged, type StagedPlan, stage } from './stage.ts'
import { contextOf } from './steps/action.ts'
import { JournalWriter } from './store/journal.ts'
import { findOutcome } from './store/outcomes.ts'
import { undo } from './undo.ts'

/** Answers a 'deploy' request, to the end of the deployment. */
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
  const foreseen = foresee(staged.steps, contextOf(machine, journal))
  const until = machine.ticks() + FORESEEN_MS
  const next = wire.next(Number.POSITIVE_INFINITY)
  if (machine.terminated() || typeof next === 'string' || next.type !== 'activate') abandon(agent, journal)
  else
    carryOut(agent, request, journal, { ...staged, foreseen: machine.ticks() < until ? foreseen : undefined })
}

/** For how long what units were doing is taken for what they do. */
const FORESEEN_MS = 500

interface Ready extends StagedPlan {
  readonly foreseen: Foreseen | undefined
}

/** Directories, lock, whatever a predecessor left, and whether this host is where the plan starts. */
function open(agent: Agent, request: Deploy): Refusal | undefined {
  const { machine, lock, store, hostname } = agent
  if (hostname !== request.host) return { kind: 'hostname', found: hostname }
  makeDirectories(machine.files, BASE, 0o755)
  if (!lock.take()) return { kind: 'busy', ...lock.pending() }
  // Until what a predecessor left is finished, the lock bears its name: whoever asks about it waits for that.
  recover(agent)
  lock.sign(signature(machine, request))
  const before = findOutcome(machine.files, request.id)
  if (before) return { kind: 'spent', outcome: before.outcome, why: before.why }
  const damage = findDamage(machine, store)
  if (damage && !request.repair) return { kind: 'preflight', problems: [damage] }
  const current = store.ref('current')
  // Where the host cannot tell any more what it runs, the operator who mends it does.
  if (current !== request.from && !damage) return { kind: 'stale', current }
  makeDirectories(machine.files, APPS, 0o755)
  for (const directory of [STORE, BACKUP]) makePrivate(machine.files, directory)
  store.prepare(request.to.length)
  return undefined
}

/** Also one that deptool, or somebody, has left open. */
function makePrivate(files: Machine['files'], directory: string): void {
  makeDirectories(files, directory, 0o700)
  const { kind, mode } = files.stat(directory)!
  if (kind === 'directory' && mode !== 0o700) files.chmod(directory, 0o700)
}

function signature(machine: Machine, { operator, id, reconnect }: Deploy): Holder {
  const connection = reconnect ? sshConnection(machine.files) : undefined
  return { operator, id, since: machine.now(), ...(connection === undefined ? {} : { connection }) }
}

/** Takes the objects and stages; undefined when the operator's side went away or withdrew. */
function stageSafely({ machine, wire, store }: Agent, request: Deploy): Staged | undefined {
  try {
    for (;;) {
      const next = wire.next(Number.POSITIVE_INFINITY)
      if (next === 'end' && wire.broken !== undefined) return refused(wire.broken)
      if (typeof next === 'string' || next.type === 'undo') return undefined
      if (next.type === 'stage') return stage(machine, store, request)
      if (next.type !== 'objects') return refused(`'${next.type}' is out of order`)
      for (const chunk of next.objects) store.receive(chunk)
    }
  } catch (error) {
    return refused(wordsFor(error))
  }
}

function error(message: string): Refusal {
  return { kind: 'error', message }
}

/** Ends a deployment that was only staged, as if it had never been. */
function abandon({ machine, wire, store }: Agent, journal: JournalWriter, refusal?: Refusal): void {
  const { id } = journal.header
  undo(journal, contextOf(machine, journal), store)
  journal.finish()
  // Whoever ends the agent ends what it runs as well, and that is no fault of the app.
  const why = machine.terminated() ? error(TERMINATED) : refusal
  if (why) wire.send({ type: 'refused', refusal: why })
  else wire.send({ type: 'outcome', id, outcome: 'undone', why: 'withdrawn before it was activated' })
}

function carryOut(agent: Agent, request: Deploy, journal: JournalWriter, ready: Ready): void {
  const { machine, wire, store } = agent
  const failure =
    attempt(agent, journal, ready) ??
    awaitConfirmation(agent, request) ??
    holdOrFail(agent, journal, ready.next)
  if (failure === undefined) {
    wire.send({ type: 'outcome', id: request.id, outcome: 'held', why: '' })
    return
  }
  const { leftovers, hindered, goingDown } = undo(journal, contextOf(machine, journal), store)
  // How it ended, the session tells that finishes this after the boot.
  if (goingDown) return
  try {
    if (!hindered) endUndone(machine, journal, failure.message, leftovers)
  } catch {
    // It could not be written down (a full disk): the journal stays, and the next session does this again.
  }
  wire.send({ type: 'undone', failure, leftovers })
}

/** Makes it hold. Once the ref has moved it does, whatever fails then: the next session clears up. */
function holdOrFail({ machine, store }: Agent, journal: JournalWriter, next: HostState): Failure | undefined {
  try {
    hold(machine, store, journal, next)
    return undefined
  } catch (error) {
    return store.ref('current') === journal.header.to
      ? undefined
      : { step: null, message: wordsFor(error), units: [] }
  }
}

function attempt(
  agent: Agent,
  journal: JournalWriter,
  { steps, next, foreseen }: Ready,
): Failure | undefined {
  const { machine, wire, store } = agent
  const { id, to, operator } = journal.header
  // Asked for once and taken from the wire then; whoever asks next must hear of it too.
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
        foreseen,
        enabled: next.apps.flatMap(app => app.manifest.unitsEnabled),
        onStep: index => wire.send({ type: 'step', index }),
      },
    )
  } catch (error) {
    return { step: null, message: wordsFor(error), units: [] }
  }
}
