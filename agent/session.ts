/** A session: says hello, answers one request, ends. Everything it does on the way is in the rooms beside this one. */
import type { Hello } from '../src/protocol/messages.ts'
import type { Agent } from './agent.ts'
import { deploy } from './deployment.ts'
import { Wire } from './frames.ts'
import { hostnameOf } from './host/hostname.ts'
import { Lock } from './host/lock.ts'
import type { Machine } from './host/machine.ts'
import { JOURNAL } from './host/paths.ts'
import { wordsFor } from './host/trouble.ts'
import { inProgressElsewhere } from './in-progress.ts'
import { recover } from './recover.ts'
import { sendHistory } from './store/history.ts'
import { Store } from './store/store.ts'
import { answerAbout } from './verdict.ts'
import { verify } from './verify/verify.ts'

interface Identity {
  readonly version: string
  /** The same on both ends, or they do not talk: DESIGN 6. */
  readonly build: string
}

/** Serves one operator until the request is answered or the operator is gone. */
export function serve(machine: Machine, { version, build }: Identity): void {
  const wire = new Wire(machine)
  const store = new Store(machine)
  const hostname = hostnameOf(machine.files)
  const agent: Agent = { machine, wire, store, lock: new Lock(machine), hostname }
  try {
    answer(agent, { version, build })
  } catch (error) {
    // The disk is full, or read-only, or a file of ours is none: the operator's side is told, in words.
    wire.send({ type: 'refused', refusal: { kind: 'error', message: wordsFor(error) } })
  }
}

function answer(agent: Agent, { version, build }: Identity): void {
  const { wire, store, hostname } = agent
  const { recovered, trouble } = recoverIfLeft(agent)
  const pending = inProgressElsewhere(agent)
  wire.send({ type: 'hello', version, build, hostname, current: store.ref('current'), recovered, pending })
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
    case 'objects':
    case 'stage':
    case 'activate':
    case 'wait':
      wire.send({
        type: 'refused',
        refusal: { kind: 'error', message: `'${request.type}' opens no session` },
      })
      break
    default:
      request satisfies never
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
function recoverIfLeft({ machine, lock, store }: Agent): {
  readonly recovered: Hello['recovered']
  readonly trouble?: unknown
} {
  try {
    const left = machine.files.stat(JOURNAL) && lock.take()
    return { recovered: left ? recover(machine, store) : null }
  } catch (trouble) {
    return { recovered: null, trouble }
  }
}
