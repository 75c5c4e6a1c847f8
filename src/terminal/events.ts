/** A rollout as lines: what happens on each host while it happens, and how it ended. */
import type { HostName } from '../plan/names.ts'
import type { Step, StepKind, StepOf } from '../plan/steps.ts'
import type { Obstacle, Refusal, UnitReport } from '../protocol/messages.ts'
import type { HostEnd, RolloutEvent } from '../rollout-events.ts'
import { printable, quoted } from './clean.ts'
import type { Colors } from './terminal.ts'

/** The lines to show for an event. Most steps are too quick to be worth one. */
export function eventLines(event: RolloutEvent, colors: Colors): string[] {
  const at = `${(event.ms / 1000).toFixed(2).padStart(6)} s`
  return words(event, colors).map((line, i) =>
    i === 0 ? `${at}  ${event.host}  ${line}` : `${' '.repeat(10)}${line}`,
  )
}

function words(event: RolloutEvent, colors: Colors): string[] {
  switch (event.kind) {
    case 'installed':
      return ['agent installed']
    case 'recovered':
      return [
        colors.yellow(`an earlier deployment had been cut off: ${event.id} ${RECOVERED[event.outcome]}`),
      ]
    case 'staged':
      return [
        'staged',
        ...event.adopted.map(path => `adopts ${quoted(path)}: the file there has the same content`),
        ...event.notes.map(printable),
      ]
    case 'step':
      return stepWords(event.step)
    case 'reconnecting':
      return [colors.yellow(`connection lost (${printable(event.why)}), asking again`)]
    default:
      return endWords(event, event.host, colors)
  }
}

const RECOVERED = {
  held: 'holds',
  undone: 'was undone',
  damaged: 'was undone, but not everything went back',
  unknown: 'is unknown',
}

const STEP_WORDS: { readonly [K in StepKind]: (step: StepOf<K>) => string | null } = {
  checkout: () => null,
  swap: () => null,
  remove: () => null,
  link: () => null,
  unlink: () => null,
  disable: () => null,
  enable: () => null,
  settle: () => null,
  daemonReload: () => 'daemon-reload',
  sysusers: () => 'systemd-sysusers',
  stop: ({ units }) => `stop ${units.join(' ')}`,
  restart: ({ units }) => `restart ${units.join(' ')}`,
  reload: ({ units }) => `reload ${units.join(' ')}`,
}

function stepWords(step: Step): string[] {
  const line = (STEP_WORDS[step.kind] as (step: Step) => string | null)(step)
  return line === null ? [] : [line]
}

function endWords(end: HostEnd, host: HostName, colors: Colors): string[] {
  switch (end.kind) {
    case 'held':
      return [colors.green('deployed')]
    case 'undone':
      return [
        colors.red(`rolled back: ${printable(end.failure.message)}`),
        ...end.failure.units.flatMap(unitLines),
        ...end.leftovers.map(left => colors.red(`not as before: ${printable(left)}`)),
      ]
    case 'refused':
      return refusalLines(end.refusal, host, colors)
    case 'unreachable':
      return [colors.red(printable(end.message)), ...hint(end.hint)]
    case 'withdrawn':
      return ['nothing changed']
    case 'unknown':
      return [colors.red(`outcome unknown: ${printable(end.why)}`)]
  }
}

function unitLines({ unit, state, log }: UnitReport): string[] {
  return log.length === 0
    ? []
    : [`${printable(unit)} ${printable(state)}:`, ...log.map(line => `  ${printable(line)}`)]
}

function refusalLines(refusal: Refusal, host: HostName, colors: Colors): string[] {
  switch (refusal.kind) {
    case 'hostname':
      return [
        colors.red(`refused: the host says it is '${printable(refusal.found)}'`),
        ...hint(`the name in its /etc/hostname and in the config tree must be the same, here '${host}'`),
      ]
    case 'busy':
      return [
        colors.red(
          refusal.id === ''
            ? 'refused: another deployment has just begun'
            : `refused: locked by ${printable(refusal.holder)} since ${new Date(refusal.since).toISOString()} (deployment ${refusal.id})`,
        ),
        ...hint('try again when it has ended'),
      ]
    case 'stale':
      return [
        colors.red(
          refusal.current === null
            ? 'refused: nothing is deployed there any more'
            : `refused: it runs ${refusal.current.slice(0, 10)}, which somebody else deployed`,
        ),
        ...hint(`'git log refs/deptool/${host}' shows what this repository knows`),
      ]
    case 'plan':
      return [
        colors.red('refused: the agent derives another plan from the same trees'),
        ...hint('this is a bug in git-deploy; nothing was changed'),
      ]
    case 'preflight':
      return ['refused:', ...refusal.problems.flatMap(problem => obstacleLines(problem, colors))]
    case 'error':
      return [colors.red(`refused: ${printable(refusal.message)}`)]
  }
}

function obstacleLines({ what, hint: remedy }: Obstacle, colors: Colors): string[] {
  return [colors.red(printable(what)), ...hint(remedy)]
}

function hint(text: string | null): string[] {
  return text === null ? [] : [`hint: ${printable(text)}`]
}
