/** What systemd has in memory of units, and what becomes of them: as a real one does it, by systemd.test.ts. */
import type { Files, Ran } from '../../agent/host/machine.ts'
import { generate } from './provision.ts'
import { failed, said } from './ran.ts'
import { definitionOf, textOf, valuesOf, wantedUnits } from './unit-files.ts'

/** Plain data, so that it can be kept in a file, or copied. */
export interface Memory {
  /** Unit files as they were read: of units in some state, and of those that a target wants. */
  loaded: Record<string, string>
  /** What the targets want, as of the last daemon-reload. */
  wanted: readonly string[]
  /** What runs or has failed. */
  units: Record<string, Unit>
}

export interface Unit {
  active: 'active' | 'failed'
  /** How the last reload went. */
  reload: 'success' | 'exit-code'
  /** The definition that it was started with. */
  readonly started: string
  /** What its program has read. */
  read: string
  /** How often it will be seen to run before it fails; 0: it will not. */
  failsIn: number
}

export class Units {
  readonly memory: Memory
  private readonly files: Files

  constructor(files: Files, memory: Memory = { loaded: {}, wanted: [], units: {} }) {
    this.files = files
    this.memory = memory
  }

  /** The unit in its state, for somebody who looks; undefined where it is idle. */
  look(name: string): Unit | undefined {
    const unit = this.memory.units[name]
    if (unit !== undefined && unit.failsIn > 0 && --unit.failsIn === 0) unit.active = 'failed'
    return unit
  }

  /** As it is loaded: what is in memory is not read again before a daemon-reload. */
  definition(unit: string): string | undefined {
    const { loaded, wanted, units } = this.memory
    // In some state, but its file was gone at the last daemon-reload: also one that is back by now is not loaded.
    if (units[unit] !== undefined && loaded[unit] === undefined) return undefined
    const definition = loaded[unit] ?? definitionOf(this.files, unit)
    if (definition !== undefined && wanted.includes(unit)) loaded[unit] = definition
    return definition
  }

  reloadDaemon(): void {
    generate(this.files)
    const wanted = wantedUnits(this.files)
    this.memory.wanted = wanted
    this.memory.loaded = Object.fromEntries(
      [...wanted, ...Object.keys(this.memory.units)].flatMap(unit => {
        const definition = definitionOf(this.files, unit)
        return definition === undefined ? [] : [[unit, definition]]
      }),
    )
  }

  start(unit: string, verb: string): Ran {
    const started = this.definition(unit)
    if (started === undefined) return this.cannotLoad(unit, verb)
    const words = valuesOf(started, 'ExecStart')
    const read = readBy(this.files, words)
    const fails = read === undefined || words.includes('--fails')
    const type = typeOf(started)
    delete this.memory.units[unit]
    if (type === 'oneshot' && !fails) return this.forget(unit)
    // Of Type=simple systemctl knows no more than that it was begun.
    const late = fails && type === 'simple'
    const failsIn = late ? 1 : words.includes('--crashes') ? 2 : 0
    const active = fails && !late ? 'failed' : 'active'
    this.memory.loaded[unit] = started
    this.memory.units[unit] = { active, reload: 'success', started, read: read ?? '', failsIn }
    if (active === 'active') return said('')
    return failed(1, `Job for ${unit} failed because the control process exited with error code.`)
  }

  /** One that has failed stays so. */
  stop(unit: string): Ran {
    const { units } = this.memory
    if (units[unit] === undefined && this.definition(unit) === undefined)
      return failed(5, `Failed to stop ${unit}: Unit ${unit} not loaded.`)
    if (units[unit]?.active === 'failed') return said('')
    delete units[unit]
    return this.forget(unit)
  }

  /** What was started goes on as it was, with what it reads now. A unit that cannot reload is restarted. */
  reloadOrRestart(name: string): Ran {
    const unit = this.memory.units[name]
    const words = valuesOf(this.definition(name) ?? '', 'ExecReload')
    if (unit?.active !== 'active' || words.length === 0) return this.start(name, 'reload-or-restart')
    const read = readBy(this.files, words)
    unit.reload = read === undefined ? 'exit-code' : 'success'
    if (read === undefined) return failed(1, `Job for ${name} failed.`)
    unit.read = read
    return said('')
  }

  resetFailed(unit: string): Ran {
    const { loaded, units } = this.memory
    if (loaded[unit] === undefined && units[unit] === undefined)
      return failed(1, `Failed to reset failed state of unit ${unit}: Unit ${unit} not loaded.`)
    if (units[unit]?.active !== 'failed') return said('')
    delete units[unit]
    return this.forget(unit)
  }

  private cannotLoad(unit: string, verb: string): Ran {
    const what = `Failed to ${verb} ${unit}: Unit ${unit}`
    return definitionOf(this.files, unit) === undefined
      ? failed(5, `${what} not found.`)
      : failed(1, `${what} failed to load properly, ${ADVICE}`)
  }

  /** What is idle, and wanted by nobody, is not kept in memory. */
  private forget(unit: string): Ran {
    if (!this.memory.wanted.includes(unit)) delete this.memory.loaded[unit]
    return said('')
  }
}

const ADVICE = 'please adjust/correct and reload service manager: Device or resource busy'

export function typeOf(definition: string): string {
  return valuesOf(definition, 'Type').pop() ?? 'simple'
}

/** What a program finds in the files that it is told to read; undefined where it will not have one of them. */
function readBy(files: Files, words: readonly string[]): string | undefined {
  const texts = words.filter(word => word.startsWith('/var/')).map(path => textOf(files, path))
  return texts.some(text => text === undefined || text.includes('broken')) ? undefined : texts.join('')
}
