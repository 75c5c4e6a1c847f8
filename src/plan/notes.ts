/** What is allowed in a config tree, and often a mistake: shown by checks, and ignored by deployments. */
import { unitsOf } from './app-units.ts'
import type { App, HostState } from './host-state.ts'
import { leftUnlinked } from './links.ts'
import { templateOf, type UnitName } from './names.ts'
import { APPS } from './places.ts'
import type { Problem } from './problem.ts'
import { settingsThatKeep } from './reloading.ts'

export function notesOn({ apps }: HostState): Problem[] {
  const shipped = new Set(apps.flatMap(unitsOf))
  return apps.flatMap(app => [
    ...unshippedUnits(app, shipped),
    ...unlinkedFiles(app),
    ...keptVersions(app, apps),
  ])
}

function unshippedUnits({ name, manifest }: App, shipped: ReadonlySet<UnitName>): Problem[] {
  return manifest.unitsEnabled
    .filter(unit => !shipped.has(unit) && !shipped.has(templateOf(unit)))
    .map(unit => ({
      file: `${name}/manifest.json`,
      at: ['systemd', 'units_enabled'],
      what: `no app ships '${unit}', so it must exist on the host`,
    }))
}

function unlinkedFiles(app: App): Problem[] {
  return leftUnlinked(app).map(path => ({
    file: `${app.name}/${path}`,
    what: `deployed, but not linked: '${path.slice(0, path.indexOf('/'))}/' expects other names`,
  }))
}

/** A reloaded unit goes on with what it has opened, and `current` leads to one version when it is opened. */
function keptVersions({ name, texts }: App, apps: readonly App[]): Problem[] {
  return [...texts].flatMap(([path, text]) =>
    settingsThatKeep(text, apps).map(({ setting, app }) => ({
      file: `${name}/${path}`,
      what: `'${setting}=' keeps a reloaded unit in one version of '${app.name}': its deployments will be rolled back`,
      hint: `use '${APPS}/${app.name}', in which 'current' leads to each new version, or remove the unit from 'units_reload'`,
    })),
  )
}
