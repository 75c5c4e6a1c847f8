import { type Check, checkText } from '../../src/plan/checks.ts'
import type { UnitName } from '../../src/plan/names.ts'
import type { StepOf } from '../../src/plan/steps.ts'
import type { UnitReport } from '../../src/protocol/messages.ts'
import { type Endpoint, type Machine, SystemFailure } from '../host/machine.ts'
import { judge, showUnits } from '../systemd/systemd.ts'
import { reportUnit } from '../systemd/unit-log.ts'
import { type Action, type Context, leavesNothing, noNames, StepFailed } from './action.ts'

/** For a single try: a service may lose a connection while it starts. */
const TRY_MS = 1000
const PAUSE_MS = 50
const NO_ANSWER = 'no answer'

export const checkAction: Action<StepOf<'check'>> = {
  systemd: 'required',
  before: () => ({ kind: 'nothing' }),
  run({ check, units }, context) {
    const { machine } = context
    const deadline = machine.ticks() + check.withinMs
    let why = NO_ANSWER
    for (;;) {
      const now = attempt(machine, check, Math.max(PAUSE_MS, Math.min(TRY_MS, deadline - machine.ticks())))
      if (now === undefined || context.interrupted() !== undefined) return
      // The last try may be cut short, and then the reason of an earlier one is better.
      if (now !== NO_ANSWER) why = now
      const failing = failingUnits(context, units)
      const words = `check ${checkText(check)} failed`
      if (failing.length > 0) throw new StepFailed(`${words}: ${failing[0]}`, reports(context, units))
      if (machine.ticks() + PAUSE_MS >= deadline)
        throw new StepFailed(`${words} for ${check.withinMs} ms: ${why}`, reports(context, units))
      machine.sleep(PAUSE_MS)
    }
  },
  undo() {},
  touches: noNames,
  leaves: leavesNothing,
}

/** Why it does not pass; undefined if it does. */
function attempt(machine: Machine, check: Check, ms: number): string | undefined {
  const whys = endpointsOf(check).map(endpoint => attemptAt(machine, endpoint, check, ms))
  return whys.includes(undefined) ? undefined : whys[0]
}

function attemptAt(machine: Machine, endpoint: Endpoint, check: Check, ms: number): string | undefined {
  try {
    const line = machine.probe(endpoint, check.kind === 'http' ? request(check) : '', ms)
    return check.kind === 'http' ? judgeAnswer(line, check.status) : undefined
  } catch (error) {
    if (error instanceof SystemFailure) return REASONS[error.code] ?? error.message
    throw error
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  ENOENT: 'no such socket',
  ETIMEDOUT: NO_ANSWER,
}

function endpointsOf(check: Check): Endpoint[] {
  if (check.kind === 'unix') return [{ path: check.path }]
  const { address, port } = check
  return (address === 'localhost' ? ['127.0.0.1', '::1'] : [address]).map(address => ({ address, port }))
}

/** HTTP/1.0, so that the server closes the connection, and sends no chunks. */
function request({ target, host }: Extract<Check, { kind: 'http' }>): string {
  return `GET ${target} HTTP/1.0\r\nHost: ${host}\r\nUser-Agent: git-deploy\r\nConnection: close\r\n\r\n`
}

function judgeAnswer(line: string, status: number): string | undefined {
  const [, answered] = /^HTTP\/\d\.\d (\d{3})/.exec(line) ?? []
  if (answered === undefined) return 'the answer is not HTTP'
  return Number(answered) === status ? undefined : `the answer is ${answered}`
}

function failingUnits({ machine, began }: Context, units: readonly UnitName[]): string[] {
  return showUnits(machine, units).flatMap(state => {
    const verdict = judge(state, began)
    return typeof verdict === 'object' ? [`${state.unit} ${verdict.fails}`] : []
  })
}

/** The units' logs probably have the reason. */
function reports({ machine, header }: Context, units: readonly UnitName[]): UnitReport[] {
  return showUnits(machine, units).map(({ unit, active, sub }) =>
    reportUnit(machine, unit, `is ${active} (${sub})`, header.started),
  )
}
