/** A session: says hello, answers one request, ends. Everything it does on the way is in the rooms beside this one. */
import type { Hello, Refusal } from '../src/protocol/messages.ts'
import type { Agent, Identity } from './agent.ts'
import { deploy } from './deployment.ts'
import { Wire } from './frames.ts'
import { hostnameOf } from './host/hostname.ts'
import { Lock } from './host/lock.ts'
import type { Machine } from './host/machine.ts'
import { DAMAGED_JOURNAL, JOURNAL } from './host/paths.ts'
import { wordsFor } from './host/trouble.ts'
import { pendingElsewhere } from './pending.ts'
import { recover } from './recover.ts'
import { Foreign } from './store/foreign.ts'
import { sendHistory } from './store/history.ts'
import { requireReadableInventory } from './store/inventory.ts'
import { Store } from './store/store.ts'
import { answerAbout } from './verdict.ts'
import { verify } from './verify/verify.ts'

/** Serves one operator until the request is answered or the operator is gone. */
export function serve(machine: Machine, identity: Identity): void {
  const wire = new Wire(machine)
  const store = new Store(machine)
  const hostname = hostnameOf(machine.files)
  const agent: Agent = { identity, machine, wire, store, lock: new Lock(machine), hostname }
  try {
    answer(agent)
  } catch (error) {
    // The disk is full, or read-only, or a file of ours is none: the operator's side is told, in words.
    wire.send({ type: 'refused', refusal: refusalFor(error) })
  }
}

function refusalFor(error: unknown): Refusal {
  if (error instanceof Foreign) return { kind: 'preflight', problems: [error.obstacle] }
  return { kind: 'error', message: wordsFor(error) }
}

function answer(agent: Agent): void {
  const { machine, wire, store, hostname, identity } = agent
  const { recovered, trouble } = recoverIfLeft(agent)
  const pending = pendingElsewhere(agent)
  const now = Math.max(0, machine.now())
  wire.send({ type: 'hello', ...identity, hostname, current: store.ref('current'), recovered, pending, now })
  const request = wire.next(Number.POSITIVE_INFINITY)
  if (typeof request === 'string') return
  if (trouble !== undefined) throw trouble
  switch (request.type) {
    case 'deploy':
      deploy(agent, request)
      break
    case 'confirm':
    case 'undo':
    case 'ask':
      wire.send(answerAbout(agent, request))
      break
    case 'fetch':
      sendHistory(agent, request)
      break
    case 'ping':
      pong(wire)
      break
    case 'verify':
      wire.send(verify(agent))
      break
    default:
      wire.send({
        type: 'refused',
        refusal: { kind: 'error', message: `'${request.type}' opens no session` },
      })
  }
}

/** As often as it is asked. */
function pong(wire: Wire): void {
  for (;;) {
    wire.send({ type: 'pong' })
    const next = wire.next(Number.POSITIVE_INFINITY)
    if (typeof next === 'string' || next.type !== 'ping') return
  }
}

/** A journal whose writer is alive is none of ours: the lock tells. What stops us from recovering is told after hello. */
function recoverIfLeft(agent: Agent): {
  readonly recovered: Hello['recovered']
  readonly trouble?: unknown
} {
  const { files } = agent.machine
  try {
    requireReadableInventory(files)
    const isLeft = files.stat(JOURNAL) ?? files.stat(DAMAGED_JOURNAL)
    return { recovered: isLeft && agent.lock.take() ? recover(agent) : null }
  } catch (trouble) {
    return { recovered: null, trouble }
  }
}
