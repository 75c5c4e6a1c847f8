/** What stands in the way of a plan, found under the lock before anything is changed. */
import type { HostState } from '../src/plan/host-state.ts'
import { APPS, isManaged, unitsGenerated, unitsShipped } from '../src/plan/links.ts'
import type { HostPath, Oid } from '../src/plan/names.ts'
import type { Step, StepOf } from '../src/plan/steps.ts'
import type { Obstacle } from '../src/protocol/messages.ts'
import { versionName } from './checkout.ts'
import type { Machine } from './machine.ts'
import { parentOf } from './paths.ts'
import { unitExists } from './systemd.ts'

export interface Preflight {
  readonly obstacles: readonly Obstacle[]
  /** Files that a link replaces because their content is what the link leads to. */
  readonly adopted: readonly HostPath[]
  readonly notes: readonly string[]
}

/** Looks at every step; the version directories of `commit` are already written. */
export function preflight(machine: Machine, steps: readonly Step[], next: HostState, commit: Oid): Preflight {
  const links = steps.filter((step): step is StepOf<'link'> => step.kind === 'link')
  const places = links.map(step => ({ step, place: placeOf(machine, step, commit) }))
  const touchesUnits = steps.some(step => UNIT_STEPS.has(step.kind))
  return {
    obstacles: [
      ...places.flatMap(({ step, place }) =>
        typeof place === 'object' ? [place] : missingParent(machine, step),
      ),
      ...(machine.systemd ? missingUnits(machine, next) : []),
      ...(touchesUnits && !machine.systemd && machine.root === ''
        ? [{ what: 'systemd does not run this host, and the plan touches units', hint: null }]
        : []),
    ],
    adopted: places.flatMap(({ step, place }) => (place === 'adopt' ? [step.path] : [])),
    notes:
      touchesUnits && machine.root !== '' ? ['an embedded host runs no units: files and links only'] : [],
  }
}

const UNIT_STEPS: ReadonlySet<Step['kind']> = new Set([
  'stop',
  'disable',
  'enable',
  'restart',
  'reload',
  'sysusers',
])

/** Whether a link may go to its path: it is free, ours already, or holds just what the link leads to. */
function placeOf(machine: Machine, step: StepOf<'link'>, commit: Oid): 'free' | 'adopt' | Obstacle {
  const { files } = machine
  const stat = files.stat(step.path)
  if (stat === undefined) return 'free'
  if (stat.kind === 'symlink') {
    const target = files.readlink(step.path) ?? ''
    if (target.startsWith(`${APPS}/`)) return 'free'
    return {
      what: `'${step.path}' is a link to '${target}', which is not ours`,
      hint:
        target === '/dev/null' ? `unmask it with 'systemctl unmask' first` : 'remove it, or link elsewhere',
    }
  }
  if (stat.kind === 'file' && sameContent(machine, step.path, staged(step.target, commit))) return 'adopt'
  return {
    what:
      stat.kind === 'file'
        ? `'${step.path}' exists and differs from what would be linked there`
        : `'${step.path}' exists and is a ${stat.kind === 'directory' ? 'directory' : 'special file'}`,
    hint: 'move it away, or put what it holds into the config tree',
  }
}

/** The link's target as it will be: `current` is still the version that runs. */
function staged(target: HostPath, commit: Oid): string {
  return target.replace('/current/', `/${versionName(commit)}/`)
}

function sameContent(machine: Machine, a: string, b: string): boolean {
  const hash = (path: string) => {
    const hasher = machine.hasher('sha256')
    return machine.files.readPieces(path, piece => hasher.update(piece)) && hasher.digest()
  }
  return machine.files.stat(b)?.kind === 'file' && hash(a) === hash(b)
}

function missingParent({ files, root }: Machine, step: StepOf<'link'>): Obstacle[] {
  const parent = parentOf(step.path)
  const stat = files.stat(parent)
  if (isManaged(parent) || stat?.kind === 'directory' || stat?.kind === 'symlink') return []
  // An embedded host has nothing installed that would have made it.
  if (root !== '' && stat === undefined) return []
  return [
    {
      what: `the directory '${parent}' for the link '${step.path}' does not exist`,
      hint: 'make it, or install the package that does',
    },
  ]
}

function missingUnits({ files }: Machine, next: HostState): Obstacle[] {
  const ours = new Set([...next.apps.flatMap(unitsShipped), ...next.apps.flatMap(unitsGenerated)])
  return next.apps.flatMap(app =>
    app.manifest.unitsEnabled
      .filter(unit => !ours.has(unit) && !ours.has(unit.replace(/@.*(?=\.)/, '@') as typeof unit))
      .filter(unit => !unitExists(files, unit))
      .map(unit => ({
        what: `'${app.name}' enables '${unit}', which exists neither in the tree nor on the host`,
        hint: 'ship it in the systemd directory of the app, or install the package that has it',
      })),
  )
}
