/** How a unit takes up changed files without a restart, as far as its files in the config tree say so. */
import { type App, order } from './host-state.ts'
import { templateOf, type UnitName } from './names.ts'
import { currentOf } from './places.ts'
import { isFileOf } from './special-directories.ts'

/** 'unknown': the host has its file. systemd tries to reload such a unit, and else restarts it. */
type Reloading = 'reload' | 'restart' | 'unknown'

export function reloadingOf(unit: UnitName, apps: readonly App[]): Reloading {
  // A mount is remounted. Units of other types cannot be reloaded, systemd.unit(5).
  if (!unit.endsWith('.service')) return unit.endsWith('.mount') ? 'reload' : 'restart'
  const files = apps.flatMap(({ texts }) =>
    [...texts].filter(([path]) => isFileOf([unit, templateOf(unit)], path)),
  )
  const isDropIn = (path: string) => path.includes('.d/')
  const [own, dropIns] = [false, true].map(kind =>
    files.filter(([path]) => isDropIn(path) === kind).sort(([a], [b]) => order(baseOf(a), baseOf(b))),
  ) as [typeof files, typeof files]
  const said = [...own, ...dropIns].flatMap(([, text]) => reloadSettings(text))
  const last = said[said.length - 1]
  return last === undefined ? (own.length > 0 ? 'restart' : 'unknown') : last
}

/** An empty assignment takes back all earlier ones. */
function reloadSettings(text: string): Reloading[] {
  const settings = /^\s*(?:ExecReload|ReloadCmd|Type)\s*=\s*(.*)$/gm
  return [...text.matchAll(settings)].flatMap(([line, value = '']): Reloading[] => {
    if (/^\s*Type/.test(line)) return value.trim() === 'notify-reload' ? ['reload'] : []
    return [value.trim() === '' ? 'restart' : 'reload']
  })
}

function baseOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** The settings by which a reloaded unit keeps one version of its files, each with the app. */
export function settingsThatKeep(text: string, apps: readonly App[]): { setting: string; app: App }[] {
  const settings = /^\s*(WorkingDirectory|RootDirectory|Bind(?:ReadOnly)?Paths|Volume|Mount)\s*=(.*)$/gm
  return [...text.matchAll(settings)].flatMap(([, setting = '', value = '']) =>
    apps.filter(({ name }) => value.includes(currentOf(name))).map(app => ({ setting, app })),
  )
}
