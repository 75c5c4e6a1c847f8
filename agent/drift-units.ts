/** Drift of units: enabled ones that are not enabled or do not run, and enabled ones that nothing declares. */
import { templateOf, unitsGenerated, unitsShipped } from '../src/plan/app-units.ts'
import { decodeUtf8 } from '../src/plan/bytes.ts'
import type { Finding } from '../src/plan/drift.ts'
import type { App, HostState } from '../src/plan/host-state.ts'
import { APPS } from '../src/plan/links.ts'
import type { UnitName } from '../src/plan/names.ts'
import { enablementLinks } from './enablement-links.ts'
import { readInventory } from './inventory.ts'
import type { Files, Machine } from './machine.ts'
import { isRetried, showUnits, type UnitState } from './systemd.ts'

export function findDriftOfUnits(machine: Machine, state: HostState): Finding[] {
  const enabled = state.apps.flatMap(app => app.manifest.unitsEnabled)
  return [
    ...findDisabled(machine, state),
    ...showUnits(machine, enabled).flatMap(findDriftOfUnit),
    ...findLeftovers(machine.files, new Set(enabled)),
  ]
}

/** By its links rather than by `systemctl is-enabled`, which knows more states than there are remedies. */
function findDisabled({ files }: Machine, { apps }: HostState): Finding[] {
  const generated = new Set(apps.flatMap(unitsGenerated))
  return apps.flatMap(app =>
    app.manifest.unitsEnabled
      .filter(unit => !generated.has(unit) && isInstallable(files, app, unit))
      .filter(unit => enablementLinks(files, [unit]).length === 0)
      .map((unit): Finding => ({ kind: 'disabled', unit, state: 'disabled' })),
  )
}

/** A unit without an [Install] section has nothing to be enabled by. Only of the app's own units can we tell. */
function isInstallable(files: Files, app: App, unit: UnitName): boolean {
  const file = templateOf(unit)
  const shipped = unitsShipped(app).find(name => name === unit || name === file)
  if (shipped === undefined) return false
  const raw = files.read(`${APPS}/${app.name}/current/systemd/${shipped}`)
  return /^(?:WantedBy|RequiredBy|UpheldBy|Alias)=\S/m.test((raw && decodeUtf8(raw)) ?? '')
}

function findDriftOfUnit(unitState: UnitState): Finding[] {
  const { unit, load, active, result, type } = unitState
  if (load !== 'loaded') return [{ kind: 'unit', unit, state: `is ${load}` }]
  if (active === 'failed') return [{ kind: 'unit', unit, state: `failed (${result})` }]
  if (isRetried(unitState)) return [{ kind: 'unit', unit, state: `restarts again and again (${result})` }]
  const finished = type === 'oneshot' && result === 'success'
  return active === 'inactive' && !finished ? [{ kind: 'unit', unit, state: 'is not running' }] : []
}

function findLeftovers(files: Files, declared: ReadonlySet<UnitName>): Finding[] {
  return readInventory(files)
    .units.filter(unit => !declared.has(unit) && enablementLinks(files, [unit]).length > 0)
    .map(unit => ({ kind: 'leftoverUnit', unit }))
}
