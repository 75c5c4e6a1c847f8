/** systemd, through systemctl(1), which runs with LC_ALL=C. */

import { decodeUtf8 } from '../../src/plan/bytes.ts'
import { templateOf, type UnitName, unitName } from '../../src/plan/names.ts'
import { PLACES } from '../../src/plan/places.ts'
import { followed } from '../host/files.ts'
import type { Files, Machine, Ran, RunOptions } from '../host/machine.ts'
import { type Ending, endingOf, readCommands, readMain } from './unit-ending.ts'

export const UNIT_DIRECTORY = PLACES.unit

/** Where systemd looks for unit files, systemd.unit(5). */
const SEARCH = [
  UNIT_DIRECTORY,
  '/run/systemd/system',
  '/run/systemd/generator',
  '/run/systemd/generator.late',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
]

export class SystemdFailure extends Error {}

/** From systemctl(1) `show`. */
export interface UnitState extends Ending {
  readonly unit: UnitName
  readonly type: string
  readonly load: string
  readonly active: string
  readonly sub: string
  /** The result of the last reload. */
  readonly reload: string
  /** How often systemd has restarted it by itself since it was last started. */
  readonly restarts: number
  /** When it last became active, in ticks() of the machine. */
  readonly since: number
  /** When it last began to start, in the same. */
  readonly tried: number
}

/**
 * Runs `systemctl <verb> <units>`. Throws SystemdFailure with its output. As soon as `interrupted` says so, systemctl is
 * killed. The jobs that it has queued continue, and the caller has to undo them.
 */
export function systemctl(
  machine: Machine,
  verb: readonly string[],
  units: readonly string[] = [],
  interrupted: () => boolean = () => false,
): void {
  const argv = ['systemctl', '--no-ask-password', ...verb, ...(units.length > 0 ? ['--', ...units] : [])]
  const ran = ask(machine, argv, { interrupted })
  if (ran.code === 0) return
  const said = (ran.stderr || ran.stdout).trim() || `exit code ${ran.code}`
  throw new SystemdFailure(`systemctl ${[verb[0], ...units].join(' ')}: ${said}`)
}

/** Then systemd starts no more units. */
export function isGoingDown(machine: Machine): boolean {
  return !UP.test(machine.run(['systemctl', 'is-system-running'], { timeoutMs: ANSWER_MS }).stdout)
}

/** The states before that, systemctl(1). If systemd does not answer, there is no state. */
const UP = /^(?:initializing|starting|running|degraded|maintenance)$/m

/** systemd answers questions from memory, but not while it reloads the units of a large host. */
const ANSWER_MS = 20_000

/** Retries systemctl when systemd closes the connection, as it does when an upgrade re-executes it. */
function ask(machine: Machine, argv: readonly string[], options?: RunOptions): Ran {
  for (let tries = 1; ; tries++) {
    const ran = machine.run(argv, options)
    if (ran.code === 0 || tries === TRIES || !LET_GO.test(ran.stderr)) return ran
    machine.sleep(PAUSE_MS)
  }
}

const LET_GO =
  /Transport endpoint is not connected|Connection reset by peer|disconnected from message bus without replying/
/** Re-executing takes less than a second, also on a busy machine. */
const TRIES = 5
const PAUSE_MS = 300

const PROPERTIES = [
  ...['Id', 'Type', 'LoadState', 'ActiveState', 'SubState', 'Result', 'ReloadResult', 'NRestarts'],
  ...['ActiveEnterTimestampMonotonic', 'InactiveExitTimestampMonotonic', 'ExecMainCode', 'ExecMainStatus'],
]

/** Units in a call: Machine.run keeps 64 KiB of the output. */
const AT_ONCE = 100

/** In the order of `units`. */
export function showUnits(machine: Machine, units: readonly UnitName[]): UnitState[] {
  const calls = Array.from({ length: Math.ceil(units.length / AT_ONCE) }, (_, i) =>
    units.slice(i * AT_ONCE, (i + 1) * AT_ONCE),
  )
  return calls.flatMap(some => {
    const blocks = showProperties(machine, PROPERTIES, some).trim().split('\n\n')
    return some.map((unit, i) => stateOf(machine, unit, blocks[i] ?? ''))
  })
}

function stateOf(machine: Machine, unit: UnitName, block: string): UnitState {
  const field = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1] ?? ''
  const [active, sub] = [field('ActiveState'), field('SubState')]
  const restarts = Number(field('NRestarts')) || 0
  return {
    unit,
    type: field('Type'),
    load: field('LoadState'),
    active,
    sub,
    result: field('Result'),
    reload: field('ReloadResult'),
    restarts,
    since: Number(field('ActiveEnterTimestampMonotonic')) / 1000 || 0,
    tried: Number(field('InactiveExitTimestampMonotonic')) / 1000 || 0,
    main: readMain(field('ExecMainCode'), field('ExecMainStatus')),
    // In a call of their own: command lines can be long, and contain empty lines.
    commands:
      active === 'failed' || sub.startsWith('auto-restart') || restarts > 0
        ? readCommands(showProperties(machine, COMMANDS, [unit]))
        : [],
  }
}

const COMMANDS = ['ExecCondition', 'ExecStartPre', 'ExecStart', 'ExecStartPost']

/**
 * A block of `<property>=<value>` lines for each unit, systemctl(1) `show`. Throws SystemdFailure where systemd refuses, or
 * gives no answer.
 */
export function showProperties(
  machine: Machine,
  properties: readonly string[],
  units: readonly string[],
): string {
  const argv = ['systemctl', 'show', `--property=${properties.join(',')}`, '--', ...units]
  const ran = ask(machine, argv, { timeoutMs: ANSWER_MS })
  if (ran.code === null) throw new SystemdFailure(`systemd did not answer within ${ANSWER_MS / 1000} s`)
  if (ran.code !== 0) throw new SystemdFailure(`systemctl show: ${ran.stderr.trim()}`)
  return ran.stdout
}

/** Everything that runs, except for failed units that systemd is about to start again. */
export function listRunning(machine: Machine): UnitName[] {
  const argv = ['systemctl', 'list-units', '--plain', '--no-legend', '--full', ...LISTED]
  const ran = ask(machine, argv)
  if (ran.code !== 0) throw new SystemdFailure(`systemctl list-units: ${ran.stderr.trim()}`)
  return ran.stdout.split('\n').flatMap(line => {
    const [name = '', , , sub = ''] = line.trim().split(/\s+/)
    return sub.startsWith('auto-restart') ? [] : (unitName(name) ?? [])
  })
}

/** Not targets, slices, scopes and devices: nothing runs in them, or systemd does not start it. */
const LISTED = [
  '--type=service,socket,timer,path,mount,automount,swap',
  '--state=active,activating,reloading',
]

export function isRunning(state: UnitState): boolean {
  return ['active', 'activating', 'reloading'].includes(state.active)
}

/** Whether it has failed, and systemd is about to start it again, or is doing so. */
export function isRetried({ active, sub, restarts }: UnitState): boolean {
  return sub.startsWith('auto-restart') || (active === 'activating' && restarts > 0)
}

/**
 * Resets the failed state of the units, and their start limits. Inactive units are left out: systemd may have unloaded
 * them, and systemctl(1) fails for those.
 */
export function resetFailed(machine: Machine, units: readonly UnitName[]): void {
  const inSomeState = showUnits(machine, units).filter(state => state.active !== 'inactive')
  if (inSomeState.length === 0) return
  systemctl(
    machine,
    ['reset-failed'],
    inSomeState.map(state => state.unit),
  )
}

/** `foo@.service`. */
function isTemplate(unit: UnitName): boolean {
  return unit.includes('@.')
}

/** The units, with each template replaced by its loaded instances. */
export function withInstances(machine: Machine, units: readonly UnitName[]): UnitName[] {
  const templates = units.filter(isTemplate)
  if (templates.length === 0) return [...units]
  const patterns = templates.map(template => template.replace('@.', '@*.'))
  const shown = showProperties(machine, ['Id'], patterns)
  const instances = shown.split(/\n?Id=/).flatMap(name => unitName(name.trim()) ?? [])
  return [...units.filter(unit => !isTemplate(unit)), ...instances]
}

/** By its file, or its template's. */
export function unitExists(files: Files, unit: UnitName): boolean {
  return SEARCH.some(directory =>
    [unit, templateOf(unit)].some(name => files.stat(`${directory}/${name}`) !== undefined),
  )
}

/** Its file, or its template's; '' if there is neither. */
export function readUnitFile(files: Files, unit: UnitName): string {
  const path = SEARCH.flatMap(directory =>
    [unit, templateOf(unit)].map(name => followed(files, `${directory}/${name}`)),
  ).find(path => files.stat(path)?.kind === 'file')
  const raw = path === undefined ? undefined : files.read(path)
  return (raw && decodeUtf8(raw)) ?? ''
}

/** Whether it has done its work: a oneshot has no process that could fail. */
export function hasEnded({ active, sub }: UnitState): boolean {
  return active === 'inactive' || sub === 'exited'
}

/** The state of a unit that was (re)started or reloaded after `began`, in ticks(): restarts before that do not count. */
export function judge(state: UnitState, began: number): 'runs' | 'starts' | { readonly fails: string } {
  const { active, sub, type, result, restarts } = state
  if (state.load !== 'loaded') return { fails: `is ${state.load}` }
  if (active === 'failed') return { fails: endingOf(state) }
  const restarted = restarts > 0 && (active === 'activating' || state.since >= began)
  if (sub.startsWith('auto-restart') || restarted) return { fails: `${endingOf(state)} and was restarted` }
  if (active === 'active' || active === 'reloading') return 'runs'
  if (active === 'activating') return 'starts'
  // A oneshot that has finished is inactive. Units that are not services (timers, sockets) have no type.
  if (active === 'inactive' && type === 'oneshot' && result === 'success') return 'runs'
  return { fails: `is ${active} (${sub})` }
}
