/** systemd, through systemctl(1) and journalctl(1). What they print is read with LC_ALL=C; nothing is thrown away. */

import { templateOf } from '../../src/plan/app-units.ts'
import { decodeUtf8 } from '../../src/plan/bytes.ts'
import { type UnitName, unitName } from '../../src/plan/names.ts'
import { PLACES } from '../../src/plan/places.ts'
import { followed } from '../host/files.ts'
import type { Files, Machine, Ran, RunOptions } from '../host/machine.ts'
import { type Ending, endingOf, readCommands, readMain } from './unit-ending.ts'

export const UNIT_DIRECTORY = PLACES.unit

/** Where systemd looks for unit files (systemd.unit(5)), ours aside. */
const SEARCH = [
  UNIT_DIRECTORY,
  '/run/systemd/system',
  '/run/systemd/generator',
  '/run/systemd/generator.late',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
]

/** A systemctl that did not do what it was asked. */
export class SystemdFailure extends Error {}

/** What systemd says of a unit, systemctl(1) `show`. */
export interface UnitState extends Ending {
  readonly unit: UnitName
  readonly type: string
  readonly load: string
  readonly active: string
  readonly sub: string
  /** How the last reload went. */
  readonly reload: string
  /** How often systemd restarted it by itself since somebody last started it. */
  readonly restarts: number
  /** When it last became active, in ticks() of the machine. */
  readonly since: number
}

/**
 * Runs `systemctl <verb> <units>`. Throws SystemdFailure with what it printed. It is left as soon as `interrupted`
 * says so, and what it has queued by then goes on: whoever interrupts has to undo that.
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
  const said = (ran.stderr || ran.stdout).trim() || `exit status ${ran.code}`
  throw new SystemdFailure(`systemctl ${[verb[0], ...units].join(' ')}: ${said}`)
}

/** Whether systemd takes no orders any more, because it is going down with the host. */
export function isGoingDown(machine: Machine): boolean {
  return !UP.test(machine.run(['systemctl', 'is-system-running']).stdout)
}

/** What systemctl(1) `is-system-running` says until then; nothing once nobody answers. */
const UP = /^(?:initializing|starting|running|degraded|maintenance)$/m

/** Runs systemctl, again where systemd let go of it: it does so when it starts anew, as an upgrade has it do. */
function ask(machine: Machine, argv: readonly string[], options?: RunOptions): Ran {
  for (let tries = 1; ; tries++) {
    const ran = machine.run(argv, options)
    if (ran.code === 0 || tries === TRIES || !LET_GO.test(ran.stderr)) return ran
    machine.sleep(PAUSE_MS)
  }
}

const LET_GO =
  /Transport endpoint is not connected|Connection reset by peer|disconnected from message bus without replying/
/** It takes less than a second, also on a busy machine. */
const TRIES = 5
const PAUSE_MS = 300

const PROPERTIES = [
  ...['Id', 'Type', 'LoadState', 'ActiveState', 'SubState', 'Result', 'ReloadResult', 'NRestarts'],
  ...['ActiveEnterTimestampMonotonic', 'ExecMainCode', 'ExecMainStatus'],
]

/** How many units are asked about at once: of what systemctl says of them, the machine keeps 64 KiB. */
const AT_ONCE = 100

/** The units' states, in the order asked. */
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
    main: readMain(field('ExecMainCode'), field('ExecMainStatus')),
    // By itself: a command line can be longer than all the rest, and hold empty lines.
    commands:
      active === 'failed' || sub.startsWith('auto-restart') || restarts > 0
        ? readCommands(showProperties(machine, COMMANDS, [unit]))
        : [],
  }
}

const COMMANDS = ['ExecCondition', 'ExecStartPre', 'ExecStart', 'ExecStartPost']

/** What systemctl(1) `show` prints: a block of `<property>=<value>` for each unit. */
export function showProperties(
  machine: Machine,
  properties: readonly string[],
  units: readonly string[],
): string {
  const ran = ask(machine, ['systemctl', 'show', `--property=${properties.join(',')}`, '--', ...units])
  if (ran.code !== 0) throw new SystemdFailure(`systemctl show: ${ran.stderr.trim()}`)
  return ran.stdout
}

export function isRunning(state: UnitState): boolean {
  return ['active', 'activating', 'reloading'].includes(state.active)
}

/** Whether it failed, and systemd is about to try it again, or just does. */
export function isRetried({ active, sub, restarts }: UnitState): boolean {
  return sub.startsWith('auto-restart') || (active === 'activating' && restarts > 0)
}

/**
 * Forgets that the units failed: one that failed too often is refused by its start limit until then. Only of units
 * that are in some state: systemctl(1) takes it ill when a unit has been unloaded.
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

/** `foo@.service`: not a unit but a template for some. */
function isTemplate(unit: UnitName): boolean {
  return unit.includes('@.')
}

/** The units, with the loaded instances of each template in its place. */
export function withInstances(machine: Machine, units: readonly UnitName[]): UnitName[] {
  const templates = units.filter(isTemplate)
  if (templates.length === 0) return [...units]
  const patterns = templates.map(template => template.replace('@.', '@*.'))
  const shown = showProperties(machine, ['Id'], patterns)
  const instances = shown.split(/\n?Id=/).flatMap(name => unitName(name.trim()) ?? [])
  return [...units.filter(unit => !isTemplate(unit)), ...instances]
}

/** Whether there is a unit file by this name, or the template of this instance. */
export function unitExists(files: Files, unit: UnitName): boolean {
  return SEARCH.some(directory =>
    [unit, templateOf(unit)].some(name => files.stat(`${directory}/${name}`) !== undefined),
  )
}

/** What its file says, or its template's; empty where there is none. */
export function readUnitFile(files: Files, unit: UnitName): string {
  const path = SEARCH.flatMap(directory =>
    [unit, templateOf(unit)].map(name => followed(files, `${directory}/${name}`)),
  ).find(path => files.stat(path)?.kind === 'file')
  const raw = path === undefined ? undefined : files.read(path)
  return (raw && decodeUtf8(raw)) ?? ''
}

/**
 * How a unit fares that was (re)started or reloaded after `began`, in ticks(). 'wait': it may still fail. What it went
 * through before is nobody's failure.
 */
export function judge(state: UnitState, began: number): 'runs' | 'wait' | { readonly fails: string } {
  const { active, sub, type, result, restarts } = state
  if (state.load !== 'loaded') return { fails: `is ${state.load}` }
  if (active === 'failed') return { fails: endingOf(state) }
  const restarted = restarts > 0 && (active === 'activating' || state.since >= began)
  if (sub.startsWith('auto-restart') || restarted) return { fails: `${endingOf(state)} and was restarted` }
  const watched = ['simple', 'exec', 'idle'].includes(type)
  if (active === 'active' || active === 'reloading') return watched ? 'wait' : 'runs'
  if (active === 'activating') return 'wait'
  // A oneshot that has finished is inactive, and fine. Units without a type of service (timers, sockets) never are.
  if (active === 'inactive' && type === 'oneshot' && result === 'success') return 'runs'
  return { fails: `is ${active} (${sub})` }
}
