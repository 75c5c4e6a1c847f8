/** What hosts say that were asked whether they still are as they were deployed (remote/inspect.ts). Plain data. */
import type { HostName, Oid } from './plan/names.ts'
import type { Hello, Verified } from './protocol/messages.ts'

export type Inspected = Answered | Unreachable

export interface Answered {
  readonly host: HostName
  readonly kind: 'asked'
  readonly hello: Pick<Hello, 'current' | 'recovered'>
  readonly verified: Verified
  /** By how much this clock is ahead of the host's, in milliseconds. */
  readonly aheadMs: number
}

interface Unreachable {
  readonly host: HostName
  readonly kind: 'unreachable'
  readonly message: string
  readonly hint: string | null
}

/** Whether the host is as it was deployed. `recorded` is the commit that this repository knows to be deployed there. */
export function isSound(answer: Answered, recorded: Oid): boolean {
  return answer.verified.findings.length === 0 && !runsAnother(answer, recorded)
}

/** While a deployment is in progress, what runs is about to change. */
export function runsAnother({ hello, verified }: Answered, recorded: Oid): boolean {
  return hello.current !== recorded && verified.pending === null
}
