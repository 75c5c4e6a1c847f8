/** What is allowed in a config tree, and often a mistake: shown by checks, and ignored by deployments. */
import { templateOf, unitsOf } from './app-units.ts'
import type { App, HostState } from './host-state.ts'
import { leftUnlinked } from './links.ts'
import type { UnitName } from './names.ts'
import type { Problem } from './problem.ts'

export function notesOn({ apps }: HostState): Problem[] {
  const shipped = new Set(apps.flatMap(unitsOf))
  return apps.flatMap(app => [...unshippedUnits(app, shipped), ...unlinkedFiles(app)])
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
