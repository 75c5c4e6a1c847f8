/** The units that an app's files make. */
import type { App } from './host-state.ts'
import { type UnitName, unitName } from './names.ts'

/** The unit files that an app ships, without drop-in directories. */
export function unitsShipped(app: App): UnitName[] {
  return namesIn(app, 'systemd').flatMap(name => unitName(name) ?? [])
}

/** The services that Podman's generator makes of an app's quadlets (podman-systemd.unit(5)). */
export function unitsGenerated(app: App): UnitName[] {
  return namesIn(app, 'quadlets').flatMap(name => unitGenerated(name) ?? [])
}

/** The service made of a file in quadlets/; undefined where the file is none that makes one. */
export function unitGenerated(name: string): UnitName | undefined {
  const match = /^(.+)\.(container|kube|volume|network|pod|image|build)$/.exec(name)
  if (!match) return undefined
  const [, stem, type] = match
  return unitName(`${stem}${type === 'container' || type === 'kube' ? '' : `-${type}`}.service`)
}

/** 'getty@tty1.service' -> 'getty@.service'; a unit that is no instance is its own. */
export function templateOf(unit: UnitName): UnitName {
  return unit.replace(/@.*(?=\.)/, '@') as UnitName
}

/** The names of the files directly in a directory of the app. */
export function namesIn(app: App, directory: string): string[] {
  return app.files
    .filter(({ path }) => path.startsWith(`${directory}/`))
    .map(({ path }) => path.slice(directory.length + 1))
    .filter(name => !name.includes('/'))
}
