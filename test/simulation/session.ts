/** A session of the agent on a simulated host, moment by moment, with a fault at one of them. */
import { SystemFailure } from '../../agent/host/machine.ts'
import { serve } from '../../agent/session.ts'
import type { Step, StepKind } from '../../src/plan/steps.ts'
import type { Reply, Request } from '../../src/protocol/messages.ts'
import { Conversation } from '../support/conversation.ts'
import type { SimulatedHost } from './host.ts'
import { watchSteps } from './step-watch.ts'
import type { Call } from './watched-files.ts'

/** Just before the agent, or a program that it runs, does the next thing. */
export interface Moment {
  readonly index: number
  readonly phase: Phase
  /** undefined between steps. */
  readonly step: StepKind | undefined
  readonly when: 'before' | 'within' | 'after'
  readonly what: string
  readonly call?: Call
  /** What the operator had been told by then. */
  readonly told: readonly Reply[]
}

export type Phase = 'stage' | 'activate' | 'confirm' | 'undo'

/** From the moment of this number on: the agent was asked to end, the disk is full, read-only, or /etc is guarded. */
export interface Fault {
  readonly at: number
  readonly kind: LastingFault
}

export const LASTING_FAULTS = ['SIGTERM', 'ENOSPC', 'EROFS', 'EACCES'] as const
export type LastingFault = (typeof LASTING_FAULTS)[number]

export interface SessionOptions {
  readonly fault?: Fault
  readonly onMoment?: (moment: Moment) => void
}

/** Runs it to its end, the operator saying the next thing once the last was answered. Deterministic. */
export function runSession(
  host: SimulatedHost,
  requests: readonly Request[],
  { fault, onMoment = () => {} }: SessionOptions = {},
): { readonly replies: readonly Reply[]; readonly moments: readonly Moment[] } {
  const conversation = new Conversation(requests)
  const { replies } = conversation
  const moments: Moment[] = []
  let place: { readonly step: StepKind; readonly undoing: boolean } | undefined
  let undoing = false
  let checkingOut = false
  const phase = (): Phase => {
    if (undoing) return 'undo'
    if (conversation.told('settled')) return 'confirm'
    return conversation.told('staged') ? 'activate' : 'stage'
  }
  const armed = () => fault !== undefined && moments.length > fault.at
  const moment = (step: StepKind | undefined, when: Moment['when'], what: string, call?: Call) => {
    const made = { index: moments.length, phase: phase(), step, when, what, told: [...replies] }
    moments.push(call ? { ...made, call } : made)
    onMoment(moments.at(-1)!)
  }
  const endCheckout = () => {
    if (checkingOut) moment('checkout', 'after', 'checked out')
    checkingOut = false
  }
  const onCall = (call: Call) => {
    // What programs leave in memory is nobody's fault.
    if (call.path.startsWith('/run')) return
    const staged = phase() === 'stage' && VERSION.test(call.path)
    if (!staged) endCheckout()
    const first = staged && !checkingOut
    checkingOut = staged
    const step = staged ? 'checkout' : place?.step
    moment(step, first ? 'before' : 'within', `${call.call} ${call.path}`, call)
    if (armed() && hits(fault!.kind, call))
      throw new SystemFailure(fault!.kind, `${call.call} '${call.path}'`)
  }
  const onStep = (doing: 'run' | 'undo', { kind }: Step, when: 'before' | 'after') => {
    undoing ||= doing === 'undo'
    place = when === 'before' ? { step: kind, undoing } : undefined
    moment(kind, when, `${doing} ${kind}`)
  }
  const machine = host.machine({
    call: onCall,
    program: (argv, when) => {
      endCheckout()
      const validating = phase() === 'stage' && argv[0] === 'true'
      moment(validating ? 'validate' : place?.step, validating ? when : 'within', `${when} ${argv.join(' ')}`)
    },
    read: conversation.read,
    write: conversation.write,
    terminated: () => fault?.kind === 'SIGTERM' && armed(),
  })
  try {
    watchSteps(onStep, () => serve(machine, { version: '0', build: 'test' }))
  } finally {
    host.release()
  }
  moment(undefined, 'after', 'the end')
  return { replies, moments }
}

const VERSION = /^\/var\/lib\/deptool\/apps\/[^/]+\/[0-9a-f]{10}(?:\/|$)/

/** What takes space fails on a full disk; on a read-only one, what frees it too. */
function hits(kind: LastingFault, { call, path }: Call): boolean {
  if (kind === 'SIGTERM' || call === 'fsync' || call === 'syncfs') return false
  if (kind === 'ENOSPC') return !['append', 'unlink', 'rmdir', 'chmod', 'chown'].includes(call)
  return kind === 'EROFS' || path.startsWith('/etc/')
}
