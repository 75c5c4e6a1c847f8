import type { App } from './host-state.ts'
import type { AppPath, UnitName } from './names.ts'
import { SPECIAL_ROLES, type SpecialRole } from './places.ts'
import { SPECIAL } from './special-directories.ts'

/** Shipped and generated ones. */
export function unitsOf(app: App): UnitName[] {
  return [...unitsShipped(app), ...unitsGenerated(app)]
}

/** The unit files that an app ships, without drop-in directories. */
export function unitsShipped(app: App): UnitName[] {
  return unitsIn(app, 'unit').map(({ unit }) => unit)
}

/** The units that a generator makes of an app's files. They have no enablement: the generator reads [Install]. */
export function unitsGenerated(app: App): UnitName[] {
  return generatedFrom(app).map(({ unit }) => unit)
}

/** Each with the path of its file in the app. */
export function generatedFrom(app: App): { readonly unit: UnitName; readonly path: AppPath }[] {
  return GENERATED.flatMap(role => unitsIn(app, role))
}

const GENERATED = SPECIAL_ROLES.filter(role => role !== 'unit')

/** The units that files right in the directory make. */
function unitsIn(app: App, role: SpecialRole): { readonly unit: UnitName; readonly path: AppPath }[] {
  const { directory, unitOf } = SPECIAL[role]
  return app.files.flatMap(({ path }) => {
    const name = path.slice(directory.length + 1)
    const unit = path.startsWith(`${directory}/`) && !name.includes('/') ? unitOf(name) : undefined
    return unit === undefined ? [] : [{ unit, path }]
  })
}
