/**
 * As much of systemd as a deployment can tell from systemd, over the files of a host that is simulated or a directory:
 * what its programs print and leave on the disk, and what runs, by which definition and with which files.
 * systemd.test.ts compares it with a real one.
 *
 * What a unit's program does is in its command line, `/bin/serve [--fails] [--crashes] <place> <file>…`: it serves
 * somewhere, and reads files below /var when it starts or reloads. It fails where one is missing or says 'broken'.
 */
import { type Endpoint, type Files, type Ran, SystemFailure } from '../../agent/host/machine.ts'
import { disable, enable } from './enablement.ts'
import { sysusers, tmpfiles } from './provision.ts'
import { failed, said } from './ran.ts'
import { definitionOf, namesIn, valuesOf } from './unit-files.ts'
import { type Memory, typeOf, Units } from './units.ts'

export class Systemd {
  readonly units: Units
  private readonly files: Files

  constructor(files: Files, memory?: Memory) {
    this.files = files
    this.units = new Units(files, memory)
  }

  get memory(): Memory {
    return this.units.memory
  }

  /** What the kernel and PID 1 do: nothing runs yet, then everything does that is enabled. */
  boot(): void {
    this.memory.units = {}
    this.units.reloadDaemon()
    this.files.mkdir('/run/systemd/system', 0o755)
    tmpfiles(
      this.files,
      namesIn(this.files, TMPFILES)
        .map(name => `${TMPFILES}/${name}`)
        .filter(isConf),
    )
    for (const unit of this.memory.wanted) this.units.start(unit, 'start')
  }

  /** Whether an active unit serves there. */
  answers(endpoint: Endpoint): boolean {
    const name = 'path' in endpoint ? endpoint.path : `${endpoint.address}:${endpoint.port}`
    return Object.values(this.memory.units).some(
      ({ active, started }) => active === 'active' && valuesOf(started, 'ExecStart').includes(name),
    )
  }

  /** What runs or has failed, or will, and what a daemon-reload is due for: a line each. */
  portrait(): Record<string, string> {
    const { loaded, units } = this.memory
    const names = [...new Set([...Object.keys(loaded), ...Object.keys(units)])].sort()
    return Object.fromEntries(
      names.flatMap(name => {
        const unit = units[name]
        const state = unit === undefined ? 'inactive' : unit.failsIn > 0 ? 'failing' : unit.active
        const stale = definitionOf(this.files, name) === loaded[name] ? '' : ', needs a daemon-reload'
        const idle = unit === undefined && stale === ''
        return idle ? [] : [[name, `${state}${stale} ${unit?.started ?? ''}${unit?.read ?? ''}`]]
      }),
    )
  }

  /** undefined for a program that is not of systemd's. */
  run([program = '', ...args]: readonly string[]): Ran | undefined {
    try {
      return this.programs[program]?.(args)
    } catch (error) {
      if (!(error instanceof SystemFailure)) throw error
      return failed(1, error.message)
    }
  }

  private readonly programs: Readonly<Record<string, (args: readonly string[]) => Ran>> = {
    systemctl: args => this.systemctl(args),
    'systemd-sysusers': args => sysusers(this.files, args),
    'systemd-tmpfiles': args => tmpfiles(this.files, args.filter(isConf)),
    journalctl: () => said(''),
  }

  private systemctl(args: readonly string[]): Ran {
    const [verb = '', ...units] = args.filter(arg => !arg.startsWith('--'))
    const run = this.verbs[verb]
    if (run === undefined) throw new Error(`the simulated systemctl knows no '${verb}'`)
    return run(
      units,
      args.filter(arg => arg.startsWith('--')),
    )
  }

  private readonly verbs: Readonly<Record<string, Verb>> = {
    show: (patterns, options) => this.show(patterns, options),
    'is-system-running': () => this.isSystemRunning(),
    'daemon-reload': () => {
      this.units.reloadDaemon()
      return said('')
    },
    start: units =>
      each(units, unit =>
        this.memory.units[unit]?.active === 'active' ? said('') : this.units.start(unit, 'start'),
      ),
    restart: units => each(units, unit => this.units.start(unit, 'restart')),
    stop: units => each(units, unit => this.units.stop(unit)),
    'reload-or-restart': units => each(units, unit => this.units.reloadOrRestart(unit)),
    'reset-failed': units => each(units, unit => this.units.resetFailed(unit)),
    enable: units => enable(this.files, units),
    disable: units => disable(this.files, units),
  }

  private isSystemRunning(): Ran {
    const degraded = Object.values(this.memory.units).some(({ active }) => active === 'failed')
    return degraded ? { code: 1, stdout: 'degraded\n', stderr: '' } : said('running\n')
  }

  /** A pattern stands for the units that it matches, of those that are in memory. */
  private show(patterns: readonly string[], options: readonly string[]): Ran {
    const { loaded, units } = this.memory
    const known = [...new Set([...Object.keys(units), ...Object.keys(loaded)])]
    const names = patterns.flatMap(pattern =>
      pattern.includes('*') ? known.filter(unit => matches(pattern, unit)) : [pattern],
    )
    const properties = options.flatMap(option => /^--property=(.*)$/.exec(option)?.[1]?.split(',') ?? [])
    return said(names.map(name => this.describe(name, properties)).join('\n'))
  }

  private describe(name: string, properties: readonly string[]): string {
    const unit = this.units.look(name)
    const definition = this.units.definition(name)
    const found = definition ?? definitionOf(this.files, name)
    const active = unit?.active ?? 'inactive'
    const values: Readonly<Record<string, string>> = {
      Id: name,
      Type: found === undefined ? '' : typeOf(found),
      LoadState: definition !== undefined ? 'loaded' : found !== undefined ? 'error' : 'not-found',
      ActiveState: active,
      SubState: { active: 'running', failed: 'failed', inactive: 'dead' }[active],
      Result: active === 'failed' ? 'exit-code' : 'success',
      ReloadResult: unit?.reload ?? 'success',
      NRestarts: '0',
      ExecMainCode: active === 'failed' ? '1' : '0',
      ExecMainStatus: active === 'failed' ? '1' : '0',
    }
    return properties.map(property => `${property}=${values[property] ?? ''}\n`).join('')
  }
}

const TMPFILES = '/etc/tmpfiles.d'

type Verb = (units: readonly string[], options: readonly string[]) => Ran

/** As systemctl does: all of them, and the first trouble in the end. */
function each(units: readonly string[], act: (unit: string) => Ran): Ran {
  return units.map(act).find(({ code }) => code !== 0) ?? said('')
}

function matches(pattern: string, unit: string): boolean {
  const escaped = pattern.replace(/[.+^$(){}|[\]\\]/g, '\\$&').replace(/\*/g, '.*')
  return new RegExp(`^${escaped}$`).test(unit)
}

function isConf(path: string): boolean {
  return path.endsWith('.conf')
}
