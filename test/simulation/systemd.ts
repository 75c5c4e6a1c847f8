/**
 * systemd as far as the agent speaks to it, over the files of a simulated host: what systemctl(1) prints and leaves on
 * the disk, and what runs, by which definition and with which files. Real systemd is in test/e2e.
 */
import type { Endpoint, Files, Ran } from '../../agent/host/machine.ts'
import { SystemFailure } from '../../agent/host/machine.ts'

const UNITS = '/etc/systemd/system'
const GENERATED = '/run/systemd/generator'
const QUADLETS = '/etc/containers/systemd'
const SEARCH = [UNITS, '/run/systemd/system', GENERATED, '/usr/lib/systemd/system']

interface Running {
  readonly active: 'active' | 'failed'
  /** The definition it was started with, and the files that it has read. */
  readonly with: string
}

export class Systemd {
  private readonly files: Files
  /** Definitions stay as they were loaded until a daemon-reload. */
  private readonly loaded: Map<string, string>
  private readonly units: Map<string, Running>

  constructor(files: Files, from?: Systemd) {
    this.files = files
    this.loaded = new Map(from?.loaded)
    this.units = new Map(from?.units)
  }

  /** What the kernel and PID 1 do: nothing runs yet, then everything that is enabled does. */
  boot(): void {
    this.loaded.clear()
    this.units.clear()
    for (const directory of ['/run/systemd', '/run/systemd/system']) this.files.mkdir(directory, 0o755)
    this.generate()
    this.runTmpfiles(this.confs('/etc/tmpfiles.d'))
    const wanted = [...this.list(`${UNITS}/multi-user.target.wants`), ...this.list(GENERATED)]
    for (const unit of wanted.filter(name => name.endsWith('.service')))
      if (this.load(unit) !== undefined) this.start(unit)
  }

  /** All units that were ever heard of, a line each. */
  portrait(): Record<string, string> {
    const names = [...new Set([...this.loaded.keys(), ...this.units.keys()])].sort()
    return Object.fromEntries(
      names.flatMap(unit => {
        const { active = 'inactive', with: runsWith = '' } = this.units.get(unit) ?? {}
        const stale = this.definition(unit) !== this.loaded.get(unit) ? ' needs a daemon-reload' : ''
        const gone = active === 'inactive' && this.definition(unit) === undefined && stale === ''
        return gone ? [] : [[unit, `${active}${stale} ${runsWith}`]]
      }),
    )
  }

  /** Whether an active unit serves there: one whose ExecStart names the endpoint. */
  answers(endpoint: Endpoint): boolean {
    const name = 'path' in endpoint ? endpoint.path : `${endpoint.address}:${endpoint.port}`
    return [...this.units.values()].some(
      unit => unit.active === 'active' && unit.with.includes(`serve ${name}`),
    )
  }

  run(argv: readonly string[]): Ran | undefined {
    const [program = '', ...rest] = argv
    const act = this.programs[program]
    if (act === undefined) return undefined
    try {
      return act(rest)
    } catch (error) {
      if (!(error instanceof SystemFailure)) throw error
      return failed(1, error.message)
    }
  }

  private readonly programs: Readonly<Record<string, (args: readonly string[]) => Ran>> = {
    systemctl: args => this.systemctl(args),
    'systemd-sysusers': args => this.sysusers(args),
    'systemd-tmpfiles': args => this.runTmpfiles(args.filter(arg => !arg.startsWith('--'))),
    journalctl: () => said(''),
    getent: () => failed(2, ''),
    true: () => said(''),
  }

  private systemctl(args: readonly string[]): Ran {
    const words = args.filter(arg => !arg.startsWith('--'))
    const [verb = '', ...units] = words
    switch (verb) {
      case 'show':
        return said(
          units
            .flatMap(unit => this.matching(unit))
            .map(unit => this.show(unit))
            .join('\n\n'),
        )
      case 'is-system-running':
        return said('running\n')
      case 'daemon-reload':
        return this.reloadDaemon()
      case 'stop':
        return this.each(units, unit => this.stop(unit))
      case 'restart':
        return this.each(units, unit => this.start(unit))
      case 'reload-or-restart':
        return this.each(units, unit => this.reload(unit))
      case 'reset-failed':
        return this.each(units, unit => this.resetFailed(unit))
      case 'enable':
        return this.each(units, unit => this.enable(unit))
      case 'disable':
        return this.each(units, unit => this.disable(unit))
      default:
        throw new Error(`the simulated systemctl knows no '${verb}'`)
    }
  }

  /** As systemctl does: all of them, and the first trouble in the end. */
  private each(units: readonly string[], act: (unit: string) => Ran): Ran {
    const rans = units.map(act)
    return rans.find(({ code }) => code !== 0) ?? said('')
  }

  private show(unit: string): string {
    const definition = this.load(unit)
    const active = this.units.get(unit)?.active ?? 'inactive'
    const fields = {
      Id: unit,
      Type: setting(definition, 'Type') ?? 'simple',
      LoadState: definition === undefined ? 'not-found' : 'loaded',
      ActiveState: active,
      SubState: { active: 'running', failed: 'failed', inactive: 'dead' }[active],
      Result: active === 'failed' ? 'exit-code' : 'success',
      NRestarts: '0',
    }
    return Object.entries(fields)
      .map(([name, value]) => `${name}=${value}`)
      .join('\n')
  }

  private load(unit: string): string | undefined {
    const known = this.loaded.get(unit) ?? this.definition(unit)
    if (known !== undefined) this.loaded.set(unit, known)
    return known
  }

  /** The unit file and its drop-ins, as they are on the disk. */
  private definition(unit: string): string | undefined {
    const file = this.unitFile(unit)
    if (file === undefined) return undefined
    const dropIns = this.confs(`${UNITS}/${unit}.d`)
    return [file, ...dropIns].map(path => text(this.files, path)).join('')
  }

  private unitFile(unit: string): string | undefined {
    return SEARCH.map(directory => `${directory}/${unit}`).find(path => this.files.read(path) !== undefined)
  }

  private reloadDaemon(): Ran {
    this.generate()
    for (const unit of [...this.loaded.keys()]) {
      const definition = this.definition(unit)
      if (definition === undefined) this.loaded.delete(unit)
      else this.loaded.set(unit, definition)
    }
    return said('')
  }

  /** A quadlet becomes a service, systemd.generator(7). */
  private generate(): void {
    for (const name of this.list(GENERATED)) this.files.unlink(`${GENERATED}/${name}`)
    this.files.mkdir(GENERATED, 0o755)
    for (const name of this.list(QUADLETS)) {
      const source = this.files.read(`${QUADLETS}/${name}`)
      if (source === undefined || !name.endsWith('.container')) continue
      const file = this.files.create(`${GENERATED}/${name.replace(/container$/, 'service')}`, 0o644)
      file.write(source)
    }
  }

  private start(unit: string): Ran {
    const definition = this.load(unit)
    if (definition === undefined) return failed(5, `Unit ${unit} not found.`)
    const read = this.readBy(definition)
    this.units.set(unit, { active: read === undefined ? 'failed' : 'active', with: `${definition}${read}` })
    return read === undefined ? failed(1, `Job for ${unit} failed.`) : said('')
  }

  /** What the unit's program reads when it starts or reloads; undefined where a file of ours is missing. */
  private readBy(definition: string): string | undefined {
    const paths = (setting(definition, 'ExecStart') ?? '').split(' ').filter(word => word.startsWith('/var/'))
    const texts = paths.map(path => this.files.read(path))
    return texts.includes(undefined) ? undefined : paths.map(path => text(this.files, path)).join('')
  }

  /** A pattern stands for the units that it matches, of those that are loaded. */
  private matching(pattern: string): string[] {
    const matches = new RegExp(`^${pattern.replace(/[.]/g, '\\.').replace('*', '.*')}$`)
    return pattern.includes('*') ? [...this.units.keys()].filter(unit => matches.test(unit)) : [pattern]
  }

  private stop(unit: string): Ran {
    const known = this.units.delete(unit) || this.load(unit) !== undefined
    return known ? said('') : failed(5, `Unit ${unit} not loaded.`)
  }

  private reload(unit: string): Ran {
    const running = this.units.get(unit)
    if (running?.active !== 'active') return this.start(unit)
    const definition = this.load(unit) ?? ''
    const read = this.readBy(definition)
    if (read === undefined) return failed(1, `Reloading ${unit} failed.`)
    this.units.set(unit, { active: 'active', with: `${definition}${read}` })
    return said('')
  }

  private resetFailed(unit: string): Ran {
    if (this.units.get(unit)?.active === 'failed') this.units.delete(unit)
    return said('')
  }

  /** Links to where the unit file really is, and makes nothing durable: both as measured, DESIGN 11. */
  private enable(unit: string): Ran {
    const file = this.unitFile(unit)
    if (file === undefined) return failed(1, `Unit file ${unit} does not exist.`)
    const target = setting(text(this.files, file), 'WantedBy')
    if (target === undefined) return said('')
    this.files.mkdir(`${UNITS}/${target}.wants`, 0o755)
    const link = `${UNITS}/${target}.wants/${unit}`
    if (this.files.stat(link) === undefined) this.files.symlink(this.real(file), link)
    return said('')
  }

  private disable(unit: string): Ran {
    if (this.unitFile(unit) === undefined) return failed(1, `Unit file ${unit} does not exist.`)
    for (const name of this.list(UNITS).filter(name => name.endsWith('.wants'))) {
      this.files.unlink(`${UNITS}/${name}/${unit}`)
      this.files.rmdir(`${UNITS}/${name}`)
    }
    if (this.files.readlink(`${UNITS}/${unit}`)?.startsWith('/var/')) this.files.unlink(`${UNITS}/${unit}`)
    return said('')
  }

  private real(path: string): string {
    const target = this.files.readlink(path)
    if (target === undefined) return path
    return target.replace(/^(.*)\/current\//, (_, app) => `${app}/${this.files.readlink(`${app}/current`)}/`)
  }

  /** Writes beside, syncs and renames, as sysusers does; the directory it does not sync. */
  private sysusers(paths: readonly string[]): Ran {
    const lines = paths.flatMap(path => text(this.files, path).split('\n'))
    for (const [type, name] of lines.map(line => line.split(' '))) {
      const passwd = text(this.files, '/etc/passwd')
      if (type !== 'u' || passwd.includes(`${name}:`)) continue
      const id = 900 + passwd.split('\n').length
      for (const [file, line] of [
        ['passwd', `${name}:x:${id}:${id}::/:/sbin/nologin\n`],
        ['group', `${name}:x:${id}:\n`],
      ] as const) {
        const old = text(this.files, `/etc/${file}`)
        const writer = this.files.create(`/etc/.#${file}`, 0o644)
        writer.write(Buffer.from(`${old}${line}`))
        writer.sync()
        this.files.rename(`/etc/.#${file}`, `/etc/${file}`)
      }
    }
    return said('')
  }

  private runTmpfiles(paths: readonly string[]): Ran {
    const lines = paths.flatMap(path => text(this.files, path).split('\n'))
    for (const [type, path] of lines.map(line => line.split(' ')))
      if (type === 'd' && path !== undefined) this.files.mkdir(path, 0o755)
    return said('')
  }

  private confs(directory: string): string[] {
    return this.list(directory)
      .filter(name => name.endsWith('.conf'))
      .map(name => `${directory}/${name}`)
  }

  private list(directory: string): string[] {
    return this.files.list(directory) ?? []
  }
}

function setting(definition: string | undefined, name: string): string | undefined {
  return new RegExp(`^${name}=(.*)$`, 'm').exec(definition ?? '')?.[1]
}

function text(files: Files, path: string): string {
  return Buffer.from(files.read(path) ?? []).toString()
}

function said(stdout: string): Ran {
  return { code: 0, stdout, stderr: '' }
}

function failed(code: number, stderr: string): Ran {
  return { code, stdout: '', stderr }
}
