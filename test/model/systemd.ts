/**
 * As much of systemd as a deployment can tell from systemd, over a directory: unit files with drop-ins and templates,
 * what was loaded and when, enablement, quadlets, sysusers and tmpfiles. Made from systemd's manual pages, and kept
 * in `/run/model/units`. A unit remembers what it was started with, so that a test sees a restart that was owed.
 *
 * What a unit does is in its file: `X-Start=fails` and `X-Start=crashes` (some moments later), and `X-Config=<path>`,
 * a file that it reads when it starts or reloads, and will not have when it says 'broken'.
 */
import type { Files, Ran } from '../../agent/host/machine.ts'
import { decodeUtf8, encodeUtf8 } from '../../src/plan/bytes.ts'

export const UNITS = '/run/model/units'

export interface Unit {
  active: 'active' | 'inactive' | 'failed'
  /** How the last reload went. */
  reload: string
  /** The unit as systemd knows it; null where its file was gone when it last looked. */
  loaded: string | null
  /** What it was started with. */
  started: string
  /** What its X-Config said when it was started or reloaded. */
  config: string
  /** How often it will be seen to run before it crashes. */
  crashesIn: number
}

export interface Systemd {
  units: Record<string, Unit>
  /** By unit: the quadlets that the generator found when systemd was last reloaded. */
  generated: Record<string, string>
}

export function readSystemd(files: Pick<Files, 'read'>): Systemd {
  const raw = files.read(UNITS)
  return raw ? JSON.parse(decodeUtf8(raw)!) : { units: {}, generated: {} }
}

/** Runs the programs that the agent runs; undefined for one that is not of systemd's. */
export function runSystemd(files: Files, [program, ...args]: readonly string[]): Ran | undefined {
  switch (program) {
    case 'systemctl':
      return systemctl(files, args)
    case 'journalctl':
      return ran(0)
    case 'systemd-sysusers':
      return sysusers(files, args)
    case 'systemd-tmpfiles':
      return tmpfiles(files, args)
    default:
      return undefined
  }
}

/** What the kernel's end and the next boot make of it: everything starts that is enabled, and nothing else. */
export function reboot(files: Files): void {
  write(files, { units: {}, generated: generate(files) })
  const wanted = (files.list(ETC) ?? [])
    .filter(name => name.endsWith('.wants'))
    .flatMap(name =>
      (files.list(`${ETC}/${name}`) ?? []).filter(unit => leadsTo(files, `${ETC}/${name}/${unit}`)),
    )
  const { generated } = readSystemd(files)
  for (const unit of [...wanted, ...Object.keys(generated)]) systemctl(files, ['restart', '--', unit])
}

const ETC = '/etc/systemd/system'
const USR = '/usr/lib/systemd/system'

type Verb = (system: Systemd, units: readonly string[], files: Files) => string | undefined

/** Each returns what went wrong. */
const VERBS: { readonly [verb: string]: Verb } = {
  'daemon-reload': (system, _, files) => {
    system.generated = generate(files)
    for (const [name, unit] of Object.entries(system.units)) unit.loaded = onDisk(system, files, name) ?? null
    return undefined
  },
  stop: (system, units, files) => {
    for (const name of units) {
      if (!system.units[name] && definition(system, files, name) === undefined)
        return `Failed to stop ${name}: Unit ${name} not loaded.`
      delete system.units[name]
    }
    return undefined
  },
  'reset-failed': (system, units) => {
    for (const name of units) {
      if (!system.units[name]) return `Failed to reset failed state of unit ${name}: Unit ${name} not loaded.`
      if (system.units[name].active === 'failed') delete system.units[name]
    }
    return undefined
  },
  restart: (system, units, files) => first(units.map(name => start(system, files, name))),
  'reload-or-restart': (system, units, files) =>
    first(
      units.map(name => {
        const unit = system.units[name]
        return unit?.active === 'active' ? reload(unit, files, name) : start(system, files, name)
      }),
    ),
  enable: (system, units, files) =>
    first(
      units.map(name => {
        const text = onDisk(system, files, name)
        if (text === undefined) return `Failed to enable unit: Unit file ${name} does not exist.`
        for (const [, target] of text.matchAll(/^WantedBy=(\S+)$/gm)) {
          files.mkdir(`${ETC}/${target}.wants`, 0o755)
          relink(files, resolved(files, fileOf(files, name)!), `${ETC}/${target}.wants/${name}`)
        }
        return undefined
      }),
    ),
  disable: (system, units, files) =>
    first(
      units
        .flatMap(name => [name, ...namedBeside(system, files, name)])
        .map(name => {
          // Also by a link that leads nowhere.
          const known =
            files.stat(`${ETC}/${name}`) !== undefined || onDisk(system, files, name) !== undefined
          for (const directory of (files.list(ETC) ?? []).filter(entry => entry.endsWith('.wants'))) {
            files.unlink(`${ETC}/${directory}/${name}`)
            files.rmdir(`${ETC}/${directory}`)
          }
          // A linked unit's own link goes too.
          if (files.readlink(`${ETC}/${name}`) !== undefined) files.unlink(`${ETC}/${name}`)
          return known || !units.includes(name)
            ? undefined
            : `Failed to disable unit: Unit file ${name} does not exist.`
        }),
    ),
}

function namedBeside(system: Systemd, files: Files, name: string): string[] {
  return /^Also=(.*)$/m.exec(onDisk(system, files, name) ?? '')?.[1]?.split(' ') ?? []
}

function systemctl(files: Files, args: readonly string[]): Ran {
  const [verb = '', ...rest] = args.filter(arg => !arg.startsWith('--no-'))
  const system = readSystemd(files)
  const units = rest.filter(arg => !arg.startsWith('--'))
  if (verb === 'show') return show(system, files, units)
  if (verb === 'is-system-running') return ran(0, 'running\n')
  const run = VERBS[verb]
  if (run === undefined) throw new Error(`the model of systemd has no '${verb}'`)
  const wrong = run(system, units, files)
  write(files, system)
  return wrong === undefined ? ran(0) : ran(1, '', wrong)
}

function show(system: Systemd, files: Files, patterns: readonly string[]): Ran {
  const loaded = Object.keys(system.units)
  const names = patterns.flatMap(name =>
    name.includes('*') ? loaded.filter(unit => matches(name, unit)) : [name],
  )
  const blocks = names.map(name => {
    const unit = system.units[name]
    const text = definition(system, files, name)
    if (unit?.active === 'active' && unit.crashesIn > 0 && --unit.crashesIn === 0) unit.active = 'failed'
    const active = unit?.active ?? 'inactive'
    return [
      `Id=${name}`,
      `Type=${typeOf(text ?? '')}`,
      `LoadState=${text === undefined ? 'not-found' : 'loaded'}`,
      `ActiveState=${active}`,
      `SubState=${active === 'active' ? 'running' : active === 'failed' ? 'failed' : 'dead'}`,
      `Result=${active === 'failed' ? 'exit-code' : 'success'}`,
      `ReloadResult=${unit?.reload ?? 'success'}`,
      'NRestarts=0',
      `ExecMainCode=${active === 'failed' ? 1 : 0}`,
      `ExecMainStatus=${active === 'failed' ? 1 : 0}`,
    ].join('\n')
  })
  write(files, system)
  return ran(0, `${blocks.join('\n\n')}\n`)
}

function start(system: Systemd, files: Files, name: string): string | undefined {
  const text = definition(system, files, name)
  if (text === undefined) {
    delete system.units[name]
    return `Failed to restart ${name}: Unit ${name} not found.`
  }
  const config = configOf(files, text)
  const fails = /^X-Start=fails$/m.test(text) || config.includes('broken')
  const type = typeOf(text)
  const unit = { reload: 'success', loaded: text, started: text, config, crashesIn: 0 }
  // Of Type=simple systemctl knows only that it was begun.
  const late = fails && type === 'simple'
  if (fails && !late) system.units[name] = { ...unit, active: 'failed' }
  else if (type === 'oneshot') system.units[name] = { ...unit, active: 'inactive' }
  else {
    const crashesIn = late ? 1 : /^X-Start=crashes$/m.test(text) ? 2 : 0
    system.units[name] = { ...unit, active: 'active', crashesIn }
  }
  return fails && !late
    ? `Job for ${name} failed because the control process exited with error code.`
    : undefined
}

function reload(unit: Unit, files: Files, name: string): string | undefined {
  const config = configOf(files, unit.started)
  unit.reload = config.includes('broken') ? 'exit-code' : 'success'
  if (unit.reload !== 'success')
    return `Job for ${name} failed because the control process exited with error code.`
  unit.config = config
  return undefined
}

function typeOf(text: string): string {
  return /^Type=(\S+)$/m.exec(text)?.[1] ?? 'simple'
}

function configOf(files: Files, text: string): string {
  const path = /^X-Config=(\S+)$/m.exec(text)?.[1]
  return path === undefined ? '' : (textOf(files, path) ?? '')
}

/** As systemd knows the unit: what runs, or has run, is not read again before a reload. */
function definition(system: Systemd, files: Files, name: string): string | undefined {
  const unit = system.units[name]
  if (unit && unit.active !== 'inactive') return unit.loaded ?? undefined
  return onDisk(system, files, name)
}

/** The unit file and its drop-ins, as they would be loaded now. */
function onDisk(system: Systemd, files: Files, name: string): string | undefined {
  const file = fileOf(files, name)
  const text = file === undefined ? system.generated[name] : textOf(files, file)
  if (text === undefined) return undefined
  const dropIns = [...new Set([name, templateOf(name)])].flatMap(unit =>
    (files.list(`${ETC}/${unit}.d`) ?? [])
      .filter(entry => entry.endsWith('.conf'))
      .map(entry => textOf(files, `${ETC}/${unit}.d/${entry}`) ?? ''),
  )
  return [text, ...dropIns].join('')
}

function fileOf(files: Files, name: string): string | undefined {
  return [name, templateOf(name)]
    .flatMap(unit => [`${ETC}/${unit}`, `${USR}/${unit}`])
    .find(path => leadsTo(files, path))
}

function templateOf(name: string): string {
  return name.replace(/@.*(?=\.)/, '@')
}

/** systemd.generator(7), podman-systemd.unit(5): of containers alone. */
function generate(files: Files): Record<string, string> {
  const directory = '/etc/containers/systemd'
  const names = (files.list(directory) ?? []).filter(name => name.endsWith('.container'))
  return Object.fromEntries(
    names.flatMap(name => {
      const text = textOf(files, `${directory}/${name}`)
      return text === undefined ? [] : [[name.replace(/container$/, 'service'), text]]
    }),
  )
}

/** `u <name> -` makes a user, once. */
function sysusers(files: Files, confs: readonly string[]): Ran {
  for (const conf of confs)
    for (const [, name] of (textOf(files, conf) ?? '').matchAll(/^u (\S+)/gm)) {
      const known = textOf(files, '/etc/passwd') ?? ''
      if (known.includes(`${name}:`)) continue
      const id = 5000 + known.split('\n').length
      append(files, '/etc/passwd', `${name}:x:${id}:${id}::/:/bin/sh\n`)
      append(files, '/etc/group', `${name}:x:${id}:\n`)
    }
  return ran(0)
}

/** `d <path>` makes a directory. */
function tmpfiles(files: Files, args: readonly string[]): Ran {
  for (const conf of args.filter(arg => arg !== '--create'))
    for (const [, path] of (textOf(files, conf) ?? '').matchAll(/^d (\S+)/gm)) files.mkdir(path!, 0o755)
  return ran(0)
}

function matches(pattern: string, name: string): boolean {
  const [before = '', after] = pattern.split('*')
  return after === undefined ? pattern === name : name.startsWith(before) && name.endsWith(after)
}

function first(wrongs: readonly (string | undefined)[]): string | undefined {
  return wrongs.find(wrong => wrong !== undefined)
}

/** The path with every link on it followed, as far as it exists. */
export function resolved(files: Pick<Files, 'readlink'>, path: string): string {
  let done = ''
  const left = path.split('/').filter(Boolean)
  for (let hops = 0; left.length > 0 && hops < 100; hops++) {
    const name = left.shift()!
    if (name === '..') done = done.slice(0, done.lastIndexOf('/'))
    else if (name !== '.') {
      const target = files.readlink(`${done}/${name}`)
      if (target === undefined) done = `${done}/${name}`
      else {
        left.unshift(...target.split('/').filter(Boolean))
        if (target.startsWith('/')) done = ''
      }
    }
  }
  return done
}

function leadsTo(files: Files, path: string): boolean {
  return files.stat(resolved(files, path))?.kind === 'file'
}

function textOf(files: Files, path: string): string | undefined {
  const raw = files.read(resolved(files, path))
  return raw && decodeUtf8(raw)
}

function relink(files: Files, target: string, path: string): void {
  files.unlink(path)
  files.symlink(target, path)
}

function write(files: Files, system: Systemd): void {
  const writer = files.create(UNITS, 0o644)
  writer.write(encodeUtf8(JSON.stringify(system)))
  writer.close()
}

function append(files: Files, path: string, text: string): void {
  const writer = files.append(path, 0o644)
  writer.write(encodeUtf8(text))
  writer.close()
}

function ran(code: number, stdout = '', stderr = ''): Ran {
  return { code, stdout, stderr }
}
