/** How a deployment ended on a host, in words: one for a column, a sentence, and what explains it. */
import type { HostName } from '../../plan/names.ts'
import type { Failure, InProgress, Obstacle, Refusal, UnitReport } from '../../protocol/messages.ts'
import type { HostEnd } from '../../rollout/events.ts'
import { printable } from '../clean.ts'
import { atMost } from './at-most.ts'

export const END_WORD = {
  held: 'deployed',
  undone: 'rolled back',
  refused: 'refused',
  unreachable: 'not reached',
  withdrawn: 'nothing changed',
  unknown: 'outcome unknown',
} as const satisfies { readonly [K in HostEnd['kind']]: string }

/** Why a host does not run what was deployed. Text of hosts in it is clean. */
export interface Explanation {
  readonly headline: string
  readonly body: readonly Detail[]
}

/** 'log' is what a program said, and may be as long as it likes. */
export interface Detail {
  readonly kind: 'fact' | 'log' | 'hint'
  readonly text: string
}

/** Null for the ends that need none. Of a body of any length there is as much as somebody may read. */
export function explain(end: HostEnd, host: HostName): Explanation | null {
  const whole = explainWhole(end, host)
  return whole && { ...whole, body: atMost(whole.body, count => fact(`… and ${count} more lines`)) }
}

function explainWhole(end: HostEnd, host: HostName): Explanation | null {
  switch (end.kind) {
    case 'held':
    case 'withdrawn':
      return null
    case 'undone':
      return {
        headline: `rolled back: ${printable(end.failure.message)}`,
        body: [
          ...reports(end.failure),
          // A host that was asked later tells all of it in one sentence.
          ...end.leftovers
            .filter(left => left !== end.failure.message)
            .map(left => fact(`not as before: ${printable(left)}`)),
        ],
      }
    case 'refused':
      return explainRefusal(end.refusal, host)
    case 'unreachable':
      return { headline: printable(end.message), body: hint(end.hint) }
    case 'unknown':
      return { headline: `outcome unknown: ${printable(end.why)}`, body: [] }
  }
}

/** A single unit needs no heading: the sentence above is about it. */
function reports({ units }: Failure): Detail[] {
  const said = units.filter(({ log }) => log.length > 0)
  const heading = ({ unit, state }: UnitReport) =>
    units.length > 1 ? [fact(`${printable(unit)} ${printable(state)}:`)] : []
  return said.flatMap(report => [
    ...heading(report),
    ...report.log.map((line): Detail => ({ kind: 'log', text: printable(line) })),
  ])
}

function explainRefusal(refusal: Refusal, host: HostName): Explanation {
  switch (refusal.kind) {
    case 'hostname':
      return {
        headline: `refused: the host says it is '${printable(refusal.found)}'`,
        body: hint(`the name in its /etc/hostname and in the config tree must be the same, here '${host}'`),
      }
    case 'busy':
      return {
        headline: `refused: ${lockedBy(refusal)}`,
        body: hint('try again when it has ended, or queue behind it with --wait'),
      }
    case 'stale':
      return {
        headline:
          refusal.current === null
            ? 'refused: nothing is deployed there any more'
            : `refused: it runs ${refusal.current.slice(0, 10)}, and not what the plan starts from`,
        // Who deployed it when follows, once the host has been asked.
        body: [],
      }
    case 'spent':
      return {
        headline: `refused: this plan was carried out here before: ${SPENT[refusal.outcome]}`,
        body: [
          ...(refusal.why === '' ? [] : [fact(printable(refusal.why))]),
          ...hint('a saved plan is good for one deployment; make a new one'),
        ],
      }
    case 'plan':
      return {
        headline: 'refused: the agent derives another plan from the same trees',
        body: hint('this is a bug in git-deploy; nothing was changed'),
      }
    case 'preflight':
      return together(refusal.problems.flatMap(obstacle))
    case 'error':
      return { headline: `refused: ${printable(refusal.message)}`, body: [] }
  }
}

/** Whose deployment is in the way, and how long it yet waits for its confirmation. */
export function lockedBy({ holder, since, id, msLeft }: InProgress): string {
  if (id === '') return 'another deployment has just begun'
  const left =
    msLeft === null ? '' : `; settled, waits for its confirmation, ${Math.ceil(msLeft / 1000)} s left`
  return `locked by ${printable(holder)} since ${new Date(since).toISOString()} (deployment ${printable(id)}${left})`
}

/** A single obstacle needs no heading. */
function together([first, ...others]: readonly Detail[]): Explanation {
  return others.some(({ kind }) => kind === 'fact')
    ? { headline: 'refused:', body: [...(first ? [first] : []), ...others] }
    : { headline: `refused: ${first?.text ?? ''}`, body: others }
}

function obstacle({ what, hint: remedy }: Obstacle): Detail[] {
  const [first = '', ...output] = what.split('\n')
  return [
    fact(printable(first)),
    ...output.map((line): Detail => ({ kind: 'log', text: printable(line) })),
    ...hint(remedy),
  ]
}

const SPENT = {
  held: 'it holds, or held until another came',
  undone: 'it was rolled back',
  damaged: 'it was rolled back, but not everything went back',
  unknown: 'it is not known how it ended',
}

function fact(text: string): Detail {
  return { kind: 'fact', text }
}

function hint(text: string | null): Detail[] {
  return text === null ? [] : [{ kind: 'hint', text: printable(text) }]
}
