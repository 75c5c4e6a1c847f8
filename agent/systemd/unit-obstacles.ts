/** Units that a plan starts, and that the host does not have. */
import { unitsGenerated, unitsOf } from '../../src/plan/app-units.ts'
import type { HostState } from '../../src/plan/host-state.ts'
import { templateOf, type UnitName } from '../../src/plan/names.ts'
import type { Step } from '../../src/plan/steps.ts'
import type { Obstacle } from '../../src/protocol/messages.ts'
import type { Files } from '../host/machine.ts'
import { UNIT_DIRECTORY, unitExists } from './systemd.ts'

export function unitObstacles(files: Files, started: ReadonlySet<UnitName>, next: HostState): Obstacle[] {
  return [
    ...missingUnits(files, started, next),
    ...maskedUnits(files, started, next),
    ...ungenerated(files, started, next),
  ]
}

/** For a deployment that links quadlets and starts none of their services. */
export function quadletNotes(files: Files, steps: readonly Step[]): string[] {
  const comes = steps.some(step => step.kind === 'link' && step.role === 'quadlet')
  return comes && !hasGenerator(files)
    ? [
        'this host has no quadlet generator: the quadlets are deployed, but become units only after podman is installed',
      ]
    : []
}

function missingUnits(files: Files, started: ReadonlySet<UnitName>, next: HostState): Obstacle[] {
  const ours = ourUnits(next)
  return next.apps.flatMap(app =>
    app.manifest.unitsEnabled
      .filter(unit => started.has(unit) && !ours.has(unit) && !ours.has(templateOf(unit)))
      .filter(unit => !unitExists(files, unit))
      .map(unit => ({
        what: `'${app.name}' enables '${unit}', which exists neither in the config tree nor on the host`,
        hint: "ship it in the app's 'systemd' directory, or install the package that contains it",
      })),
  )
}

/** Only other units: for a shipped one, its own link meets the mask. */
function maskedUnits(files: Files, started: ReadonlySet<UnitName>, next: HostState): Obstacle[] {
  const ours = ourUnits(next)
  return [...started]
    .filter(unit => !ours.has(unit) && isMasked(files, unit))
    .map(unit => ({
      what: `'${unit}' is masked on the host`,
      hint: `run 'systemctl unmask ${unit}' on the host first`,
    }))
}

/** /etc comes before /run, systemd.unit(5). */
function isMasked(files: Files, unit: UnitName): boolean {
  const [path] = [UNIT_DIRECTORY, '/run/systemd/system']
    .map(directory => `${directory}/${unit}`)
    .filter(path => files.stat(path))
  return path !== undefined && files.readlink(path) === '/dev/null'
}

function ungenerated(files: Files, started: ReadonlySet<UnitName>, next: HostState): Obstacle[] {
  if (hasGenerator(files)) return []
  return next.apps.flatMap(app =>
    unitsGenerated(app)
      .filter(unit => started.has(unit))
      .map(unit => ({
        what: `'${app.name}' starts '${unit}', which is generated from a quadlet, but the host has no quadlet generator`,
        hint: 'install podman 4.4 or newer',
      })),
  )
}

/** systemd.generator(7) */
const GENERATOR_DIRECTORIES = [
  '/run/systemd',
  '/etc/systemd',
  '/usr/local/lib/systemd',
  '/usr/lib/systemd',
  '/lib/systemd',
]

function hasGenerator(files: Files): boolean {
  return GENERATOR_DIRECTORIES.some(directory =>
    files.stat(`${directory}/system-generators/podman-system-generator`),
  )
}

function ourUnits(next: HostState): Set<UnitName> {
  return new Set(next.apps.flatMap(unitsOf))
}
