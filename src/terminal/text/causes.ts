/** Hosts that failed for the same reason, together: what is the same on all of them is said once. */
import type { HostName } from '../../plan/names.ts'
import type { HostEnd } from '../../rollout/events.ts'
import { type Detail, type Explanation, explain } from './ends.ts'

export interface Cause extends Explanation {
  readonly hosts: readonly HostName[]
}

/** One for each reason, in the order of their first hosts. Names and addresses that differ become '<host>'. */
export function causesOf(ends: Iterable<readonly [HostName, HostEnd]>): Cause[] {
  const groups = new Map<string, Member[]>()
  for (const [host, end] of ends) {
    const explanation = explain(end, host)
    if (explanation === null) continue
    const key = causeKey(host, explanation)
    groups.set(key, [...(groups.get(key) ?? []), { host, explanation }])
  }
  return [...groups.values()].map(together)
}

/** Equal where one explanation serves both. */
export function causeKey(host: HostName, { headline, body }: Explanation): string {
  const log = (text: string) => generalise(text, host).replace(/\d+/g, '#')
  return JSON.stringify([
    generalise(headline, host),
    ...body.map(({ kind, text }) => (kind === 'log' ? log(text) : generalise(text, host))),
  ])
}

interface Member {
  readonly host: HostName
  readonly explanation: Explanation
}

function together(members: readonly Member[]): Cause {
  const hosts = members.map(({ host }) => host)
  const [first, second] = members as readonly [Member, Member?]
  const { headline, body } = first.explanation
  if (second === undefined) return { hosts, headline, body }
  const shared = (texts: readonly string[]) =>
    new Set(texts).size === 1 ? texts[0]! : generalise(texts[0]!, first.host)
  return {
    hosts,
    headline: shared(members.map(({ explanation }) => explanation.headline)),
    // The words of a program stay as they were on the first host.
    body: body.map(
      ({ kind, text }, i): Detail => ({
        kind,
        text: kind === 'log' ? text : shared(members.map(({ explanation }) => explanation.body[i]!.text)),
      }),
    ),
  }
}

function generalise(text: string, host: HostName): string {
  const name = new RegExp(`(?<![\\w-])${host.replace(/[.\\+*?^$|()[\]{}]/g, '\\$&')}(?![\\w-])`, 'g')
  return text.replace(name, '<host>').replace(ADDRESS, '<host>')
}

/** IPv4, and IPv6 in brackets as where a port follows. */
const ADDRESS = /\b\d{1,3}(?:\.\d{1,3}){3}\b|\[[0-9a-f]*:[0-9a-f:.]*(?:%\w+)?\]/gi
