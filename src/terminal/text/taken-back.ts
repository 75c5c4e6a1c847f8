/** A colleague's changes that a plan would undo, in words. */
import { isFinding, type TakenBack } from '../../plan/taken-back.ts'
import { printable } from '../clean.ts'
import type { Colors } from '../terminal.ts'
import { wrap } from '../wrap.ts'

interface Look {
  readonly colors: Colors
  readonly columns: number
  readonly abbrev?: number
}

/** A line for each host and deployment, then what to do. `plan` is what would be deployed, such as a branch. */
export function takenBackLines(takenBack: readonly TakenBack[], plan: string, look: Look): string[] {
  const lines = takenBack.flatMap(one => wrap(words(one, plan, look.abbrev ?? 7).split(' '), look.columns))
  return [
    ...lines.map(line => look.colors.yellow(line)),
    ...remediesFor(takenBack).map(hint => `hint: ${hint}`),
  ]
}

/** What brings the changes here, for those who do not mean to take them back. */
export function remediesFor(takenBack: readonly TakenBack[]): string[] {
  const kinds = new Set(takenBack.map(({ kind }) => kind))
  const names = [...new Set(takenBack.flatMap(({ kind, by }) => (kind === 'dirty' ? [printable(by)] : [])))]
  return [
    ...(kinds.has('missing') ? ["run 'git fetch' to find out what is taken back"] : []),
    ...(kinds.has('commit') || kinds.has('newer')
      ? ["run 'git pull', or merge the commit, to keep the changes"]
      : []),
    ...(names.length > 0 ? [`ask ${names.join(' and ')} to commit and push the changes`] : []),
    ...(kinds.has('shallow') ? ["run 'git fetch --deepen=<n>' to find out what is taken back"] : []),
  ]
}

/** For the message of a refusal. */
export function takenBackSummary(takenBack: readonly TakenBack[]): string {
  const found = takenBack.filter(isFinding)
  const files = found.reduce((sum, one) => sum + one.files.length, 0)
  const hosts = [...new Set(found.map(({ host }) => host))]
  const where = hosts.length > 3 ? `${hosts.length} hosts` : hosts.join(', ')
  const by = [...new Set(found.map(one => printable(one.by)))].join(', ')
  return files === 0
    ? `changes by ${by} on ${where} might be taken back`
    : `changes by ${by} on ${where} would be taken back`
}

function words({ host, source, kind, by, subject, files }: TakenBack, plan: string, abbrev: number): string {
  const short = source.slice(0, abbrev)
  const about = subject === null ? '' : ` (${printable(subject)})`
  const count = `${files.length} file${files.length === 1 ? ' is' : 's are'} taken back`
  if (kind === 'missing') return `${host} runs ${short} by ${printable(by)}, which is not in this repository`
  if (kind === 'shallow')
    return `${host} runs ${short} by ${printable(by)}, which this shallow clone does not have: what is taken back is not known`
  if (kind === 'dirty')
    return `${host} runs uncommitted changes by ${printable(by)} to ${short}${about}: ${count}`
  return `${host} runs ${short} by ${printable(by)}${about}, which ${printable(plan)} does not contain: ${count}`
}
