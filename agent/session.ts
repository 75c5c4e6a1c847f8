/** A session: says hello, answers one request, and ends. */
import type { Hello, Refusal } from '../src/protocol/messages.ts'
import type { Agent, Identity } from './agent.ts'
import { deploy } from './deployment.ts'
import { Wire } from './frames.ts'
import { describeError } from './host/errors.ts'
import { hostnameOf } from './host/hostname.ts'
import { Lock } from './host/lock.ts'
import type { Machine } from './host/machine.ts'
import { DAMAGED_JOURNAL, JOURNAL } from './host/paths.ts'
import { inProgressElsewhere } from './in-progress.ts'
import { recover } from './recover.ts'
import { Foreign } from './store/foreign.ts'
import { sendHistory } from './store/history.ts'
import { requireReadableInventory } from './store/inventory.ts'
import { Store } from './store/store.ts'
import { answerAbout } from './verdict.ts'
import { verify } from './verify/verify.ts'

export function serve(machine: Machine, identity: Identity): void {
  const wire = new Wire(machine)
  const store = new Store(machine)
  const hostname = hostnameOf(machine.files)
  const agent: Agent = { identity, machine, wire, store, lock: new Lock(machine), hostname }
  try {
    answer(agent)
  } catch (error) {
    // Such as a full disk.
    wire.send({ type: 'refused', refusal: refusalFor(error) })
  }
}

function refusalFor(error: unknown): Refusal {
  if (error instanceof Foreign) return { kind: 'preflight', problems: [error.obstacle] }
  return { kind: 'error', message: describeError(error) }
}

function answer(agent: Agent): void {
  const { machine, wire, store, hostname, identity } = agent
  const { recovered, failure } = recoverIfLeft(agent)
  const pending = inProgressElsewhere(agent)
  const now = Math.max(0, machine.now())
  wire.send({ type: 'hello', ...identity, hostname, current: store.ref('current'), recovered, pending, now })
  const request = wire.next(Number.POSITIVE_INFINITY)
  if (typeof request === 'string') return
  if (failure !== undefined) throw failure
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
    case 'objects':
    case 'stage':
    case 'activate':
    case 'wait':
      wire.send({
        type: 'refused',
        refusal: { kind: 'error', message: `unexpected request '${request.type}'` },
      })
      break
    default:
      request satisfies never
  }
}

function pong(wire: Wire): void {
  for (;;) {
    wire.send({ type: 'pong' })
    const next = wire.next(Number.POSITIVE_INFINITY)
    if (typeof next === 'string' || next.type !== 'ping') return
  }
}

/** The lock shows whether the journal's writer still works. A failure is reported after hello. */
function recoverIfLeft(agent: Agent): {
  readonly recovered: Hello['recovered']
  readonly failure?: unknown
} {
  const { files } = agent.machine
  try {
    requireReadableInventory(files)
    const isLeft = files.stat(JOURNAL) ?? files.stat(DAMAGED_JOURNAL)
    return { recovered: isLeft && agent.lock.take() ? recover(agent) : null }
  } catch (failure) {
    return { recovered: null, failure }
  }
}
