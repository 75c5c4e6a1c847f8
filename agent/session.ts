/** A session: says hello, answers one request, and ends. */
import type { Hello } from '../src/protocol/messages.ts'
import type { Agent } from './agent.ts'
import { deploy } from './deployment.ts'
import { Wire } from './frames.ts'
import { describeError } from './host/errors.ts'
import { hostnameOf } from './host/hostname.ts'
import { Lock } from './host/lock.ts'
import type { Machine } from './host/machine.ts'
import { JOURNAL } from './host/paths.ts'
import { inProgressElsewhere } from './in-progress.ts'
import { recover } from './recover.ts'
import { sendHistory } from './store/history.ts'
import { Store } from './store/store.ts'
import { answerAbout } from './verdict.ts'
import { verify } from './verify/verify.ts'

interface Identity {
  readonly version: string
  /** If the operator's side has another one, it installs its own agent and connects again. */
  readonly build: string
}

export function serve(machine: Machine, { version, build }: Identity): void {
  const wire = new Wire(machine)
  const store = new Store(machine)
  const hostname = hostnameOf(machine.files)
  const agent: Agent = { machine, wire, store, lock: new Lock(machine), hostname }
  try {
    answer(agent, { version, build })
  } catch (error) {
    // Such as a full disk.
    wire.send({ type: 'refused', refusal: { kind: 'error', message: describeError(error) } })
  }
}

function answer(agent: Agent, { version, build }: Identity): void {
  const { wire, store, hostname } = agent
  const { recovered, failure } = recoverIfLeft(agent)
  const pending = inProgressElsewhere(agent)
  wire.send({ type: 'hello', version, build, hostname, current: store.ref('current'), recovered, pending })
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
function recoverIfLeft({ machine, lock, store }: Agent): {
  readonly recovered: Hello['recovered']
  readonly failure?: unknown
} {
  try {
    const left = machine.files.stat(JOURNAL) && lock.take()
    return { recovered: left ? recover(machine, store) : null }
  } catch (failure) {
    return { recovered: null, failure }
  }
}
