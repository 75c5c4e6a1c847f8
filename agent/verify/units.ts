/** Drift of units: those that are not enabled or do not run, and those that are enabled and no longer declared. */
import { unitsGenerated } from '../../src/plan/app-units.ts'
import type { Finding } from '../../src/plan/drift.ts'
import type { HostState } from '../../src/plan/host-state.ts'
import type { UnitName } from '../../src/plan/names.ts'
import type { Files, Machine } from '../host/machine.ts'
import { parentOf } from '../host/paths.ts'
import { readInventory } from '../store/inventory.ts'
import { enablementLinks } from '../systemd/enablement-links.ts'
import { findOutdated } from '../systemd/old-versions.ts'
import { isRetried, readUnitFile, showUnits, UNIT_DIRECTORY, type UnitState } from '../systemd/systemd.ts'

export function findDriftOfUnits(machine: Machine, state: HostState): Finding[] {
  const enabled = state.apps.flatMap(app => app.manifest.unitsEnabled)
  return [
    ...findDisabled(machine, state),
    ...showUnits(machine, enabled).flatMap(findDriftOfUnit),
    ...findOutdated(machine, enabled).map(({ unit, how }): Finding => ({ kind: 'unit', unit, state: how })),
    ...findLeftovers(machine.files, new Set(enabled)),
  ]
}

/** By links, since `systemctl is-enabled` has more states than can be repaired. */
function findDisabled({ files }: Machine, { apps }: HostState): Finding[] {
  const generated = new Set(apps.flatMap(unitsGenerated))
  return apps.flatMap(app =>
    app.manifest.unitsEnabled
      .filter(unit => !generated.has(unit) && lacksLinks(files, unit))
      .map((unit): Finding => ({ kind: 'disabled', unit, state: 'disabled' })),
  )
}

/** An alias alone does not start a unit at boot. A unit without an [Install] section needs no links. */
function lacksLinks(files: Files, unit: UnitName): boolean {
  const text = readUnitFile(files, unit)
  const links = enablementLinks(files, [unit])
  if (/^(?:WantedBy|RequiredBy|UpheldBy)=\S/m.test(text))
    return links.every(({ path }) => parentOf(path) === UNIT_DIRECTORY)
  return links.length === 0 && /^Alias=\S/m.test(text)
}

function findDriftOfUnit(unitState: UnitState): Finding[] {
  const { unit, load, active, result, type } = unitState
  if (load !== 'loaded') return [{ kind: 'unit', unit, state: `is ${load}` }]
  if (active === 'failed') return [{ kind: 'unit', unit, state: `failed (${result})` }]
  if (isRetried(unitState)) return [{ kind: 'unit', unit, state: `keeps restarting (${result})` }]
  const finished = type === 'oneshot' && result === 'success'
  return active === 'inactive' && !finished ? [{ kind: 'unit', unit, state: 'is not running' }] : []
}

function findLeftovers(files: Files, declared: ReadonlySet<UnitName>): Finding[] {
  return readInventory(files)
    .units.filter(unit => !declared.has(unit) && enablementLinks(files, [unit]).length > 0)
    .map(unit => ({ kind: 'leftoverUnit', unit }))
}
