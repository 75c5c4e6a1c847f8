/** What a rollout leaves in the scrollback: a line for each host, or how many of them ended how. */
import type { HostEnd } from '../../rollout/events.ts'
import type { Colors } from '../terminal.ts'
import { padTo, widthOf } from '../width.ts'
import { END_WORD } from './ends.ts'
import { seconds } from './events.ts'
import type { HostProgress } from './host-progress.ts'

/** None where one or two hosts hold: the last line of the command says all of it. */
export function recordLines(all: readonly HostProgress[], colors: Colors): string[] {
  const ended = all.flatMap(({ host, end, ms }) => (end ? [{ host, end, ms }] : []))
  if (ended.length === 0 || (all.length <= FEW && ended.every(({ end }) => end.kind === 'held'))) return []
  if (ended.length > LISTED) return [summary(ended)]
  const width = Math.max(...ended.map(({ host }) => widthOf(host)))
  return ended.map(({ host, end, ms }) => `${seconds(ms)}  ${padTo(host, width)}  ${word(end, colors)}`)
}

const FEW = 2
const LISTED = 10

interface Ended {
  readonly host: string
  readonly end: HostEnd
  readonly ms: number
}

function summary(ended: readonly Ended[]): string {
  const slowest = ended.reduce((most, host) => (host.ms > most.ms ? host : most))
  const counts = (Object.keys(END_WORD) as HostEnd['kind'][])
    .map(kind => ({ kind, number: ended.filter(({ end }) => end.kind === kind).length }))
    .filter(({ number }) => number > 0)
  const said = counts
    .map(({ kind, number }) => `${number} ${kind === 'withdrawn' ? 'unchanged' : END_WORD[kind]}`)
    .join(', ')
  return `${ended.length} hosts: ${said}; slowest ${slowest.host}, ${(slowest.ms / 1000).toFixed(2)} s`
}

function word(end: HostEnd, colors: Colors): string {
  const said = END_WORD[end.kind]
  if (end.kind === 'held') return colors.green(said)
  return end.kind === 'withdrawn' ? said : colors.red(said)
}
