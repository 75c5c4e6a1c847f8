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
            .map(left => fact(`not restored: ${printable(left)}`)),
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
        headline: `refused: the host calls itself '${printable(refusal.found)}'`,
        body: hint(
          `check the address; /etc/hostname on the host must contain the name of its directory, '${host}'`,
        ),
      }
    case 'busy':
      return {
        headline: `refused: ${lockedBy(refusal)}`,
        body: hint('try again later, or add --wait to wait until it has ended'),
      }
    case 'stale':
      return {
        headline:
          refusal.current === null
            ? 'refused: the host reports no deployment, but the plan starts from one'
            : `refused: the host runs ${refusal.current.slice(0, 10)}, but the plan does not start from this commit`,
        // Who deployed it when follows, once the host has been asked.
        body: [],
      }
    case 'spent':
      return {
        headline: `refused: this plan has already been applied to the host: ${SPENT[refusal.outcome]}`,
        body: [
          ...(refusal.why === '' ? [] : [fact(printable(refusal.why))]),
          ...hint("a saved plan can be applied only once; run 'git deploy plan -o <file>' to save a new one"),
        ],
      }
    case 'plan':
      return {
        headline: 'refused: the agent computes a different plan from the same files',
        body: hint('this is a bug in git-deploy, please report it; nothing was changed'),
      }
    case 'preflight':
      return together(refusal.problems.flatMap(obstacle))
    case 'error':
      return { headline: `refused: ${printable(refusal.message)}`, body: [] }
  }
}

/** Whose deployment is in the way, and how long it yet waits for its confirmation. */
export function lockedBy({ holder, since, id, msLeft }: InProgress): string {
  if (id === '') return 'another deployment has just started'
  const left = msLeft === null ? '' : `; waiting for confirmation, ${Math.ceil(msLeft / 1000)} s left`
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
  held: 'it succeeded',
  undone: 'it was rolled back',
  damaged: 'it was rolled back incompletely',
  unknown: 'its outcome is unknown',
}

function fact(text: string): Detail {
  return { kind: 'fact', text }
}

function hint(text: string | null): Detail[] {
  return text === null ? [] : [{ kind: 'hint', text: printable(text) }]
}
