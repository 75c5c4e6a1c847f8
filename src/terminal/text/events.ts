/** A rollout as lines: what happens on each host while it happens, and how it ended. */
import { checkText } from '../../plan/checks.ts'
import type { UnitName } from '../../plan/names.ts'
import type { Step, StepKind, StepOf } from '../../plan/steps.ts'
import type { Adopted, Hello, Outcome } from '../../protocol/messages.ts'
import {
  type EventOf,
  type HostEnd,
  isEnd,
  type ProgressKind,
  type RolloutEvent,
} from '../../rollout/events.ts'
import { printable, quoted } from '../clean.ts'
import type { Colors } from '../terminal.ts'
import { atMost } from './at-most.ts'
import { detailLines } from './details.ts'
import { END_WORD, explain, lockedBy } from './ends.ts'

/** The lines to show for an event. Most steps are too quick to be worth one. */
export function eventLines(event: RolloutEvent, colors: Colors): string[] {
  return words(event, colors).map((line, i) =>
    i === 0 ? `${seconds(event.ms)}  ${event.host}  ${line}` : `${' '.repeat(10)}${line}`,
  )
}

/** '  1.20 s', in a column. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2).padStart(6)} s`
}

function words(event: RolloutEvent, colors: Colors): string[] {
  if (isEnd(event)) return endWords(event, colors)
  return (WORDS[event.kind] as (event: RolloutEvent, colors: Colors) => string[])(event, colors)
}

const WORDS: { readonly [K in ProgressKind]: (event: EventOf<K>, colors: Colors) => string[] } = {
  connecting: () => [],
  installing: () => [],
  connected: () => [],
  installed: () => ['agent installed'],
  recovered: (event, colors) => [colors.yellow(recoveredText(event))],
  staged: event => ['staged', ...remarks(event)],
  wave: ({ wave, waves }) => [`wave ${wave} of ${waves}`],
  step: ({ step }) => stepWords(step),
  restarted: ({ units }, colors) => [colors.yellow(restartedText(units))],
  watching: ({ units, forMs }) => [watchText(units, forMs)],
  queued: ({ behind }, colors) => [colors.yellow(`waiting: ${lockedBy(behind)}`)],
  proving: () => ['settled, confirming over a new connection'],
  unproven: ({ why }, colors) => [colors.yellow(`no new connection yet (${printable(why)}), trying again`)],
  waiting: () => ['settled, waiting for the other hosts'],
  confirming: () => [],
  withdrawing: () => [],
  reconnecting: ({ why }, colors) => [colors.yellow(`${printable(why)}; reconnecting`)],
}

/** Of units that a plan wanted to reload. */
function restartedText(units: readonly UnitName[]): string {
  return `restarted ${units.join(', ')}, which cannot be reloaded`
}

/** 'watching a.service for 0.3 s' */
function watchText(units: readonly UnitName[], ms: number): string {
  return `watching ${units.join(', ')} for ${secondsOf(ms)} s`
}

/** As short as it can be said: '5', '0.3'. */
export function secondsOf(ms: number): string {
  return `${Math.round(ms / 100) / 10}`
}

/** What the operator should know of a host that is staged. */
function remarks(event: EventOf<'staged'>): string[] {
  const lines = [...event.adopted.map(adoptedLine), ...event.notes.map(printable)]
  return [...atMost(lines, count => `… and ${count} more notes`)]
}

function adoptedLine({ path, backup, differs }: Adopted): string {
  return differs
    ? `replaces ${quoted(path)}, and keeps the original as ${quoted(backup)}`
    : `adopts ${quoted(path)}, which has the same content`
}

/** What an agent found and finished before it answered. */
export function recoveredText({ id, outcome }: NonNullable<Hello['recovered']>): string {
  return `an earlier deployment was interrupted: ${printable(id)} ${RECOVERED[outcome]}`
}

const RECOVERED: { readonly [K in Outcome]: string } = {
  held: 'succeeded',
  undone: 'was rolled back',
  damaged: 'was rolled back incompletely',
  unknown: 'has an unknown outcome',
}

const STEP_WORDS: { readonly [K in StepKind]: (step: StepOf<K>) => string | null } = {
  checkout: () => null,
  validate: () => null,
  attributes: () => null,
  swap: () => null,
  remove: () => null,
  link: () => null,
  unlink: () => null,
  disable: () => null,
  enable: () => null,
  settle: () => null,
  daemonReload: () => 'daemon-reload',
  sysusers: () => 'systemd-sysusers',
  tmpfiles: () => 'systemd-tmpfiles',
  check: ({ check }) => `check ${printable(checkText(check))}`,
  stop: ({ units }) => `stop ${units.join(' ')}`,
  restart: ({ units }) => `restart ${units.join(' ')}`,
  reload: ({ units }) => `reload ${units.join(' ')}`,
}

/** None for a step that is too quick to be worth a word. */
export function stepWords(step: Step): string[] {
  const line = (STEP_WORDS[step.kind] as (step: Step) => string | null)(step)
  return line === null ? [] : [line]
}

function endWords(end: EventOf<HostEnd['kind']>, colors: Colors): string[] {
  const explanation = explain(end, end.host)
  if (explanation === null) return [end.kind === 'held' ? colors.green(END_WORD.held) : END_WORD[end.kind]]
  return [colors.red(explanation.headline), ...detailLines(explanation.body, null)]
}
