/** Whether links can go where the plan wants them, and what they take the place of. */
import { linksOf } from '../../src/plan/links.ts'
import type { HostPath } from '../../src/plan/names.ts'
import { APPS, BASE } from '../../src/plan/places.ts'
import { isManaged } from '../../src/plan/special-directories.ts'
import type { KindWith, Step, StepOf } from '../../src/plan/steps.ts'
import type { Adopted, Obstacle } from '../../src/protocol/messages.ts'
import type { Files, Machine } from '../host/machine.ts'
import { backupPath, baseOf, parentOf } from '../host/paths.ts'
import { walk } from '../host/walk.ts'
import type { Blocked, Reached, Walked } from '../host/way.ts'
import { isOurs } from '../store/inventory.ts'
import { enablementLinks } from '../systemd/enablement-links.ts'
import { UNIT_DIRECTORY } from '../systemd/systemd.ts'
import { occupantOf, type Prospect } from './adoption.ts'

interface Places {
  readonly obstacles: readonly Obstacle[]
  readonly adopted: readonly Adopted[]
  readonly notes: readonly string[]
}

export function findPlaces(prospect: Prospect, steps: readonly Step[]): Places {
  const { machine } = prospect
  const links = steps.filter((step): step is StepOf<'link'> => step.kind === 'link')
  const aliases = aliasesToGo(machine.files, steps)
  const ground = links.length === 0 ? new Set<string>() : ownGround(machine)
  const found = links.map(step =>
    walk(machine, parentOf(step.path), walked =>
      placeOf(prospect, step, { walked, ground, isAlias: aliases.has(step.path) }),
    ),
  )
  return {
    obstacles: [
      ...found.flatMap(({ obstacles }) => obstacles),
      ...(links.length === 0 ? [] : onePlaceTwice(prospect)),
      ...readOnly(machine, steps),
    ],
    adopted: found.flatMap(({ adopted }) => adopted),
    notes: [...found.flatMap(({ notes }) => notes), ...leftAlone(machine, steps)],
  }
}

/** Names that units of ours also go by, and that go or are made anew with their enablement. */
function aliasesToGo(files: Files, steps: readonly Step[]): ReadonlySet<string> {
  const units = steps.flatMap(step => ('units' in step && CHANGES_LINKS[step.kind] ? step.units : []))
  const ours = units.filter(unit => isOurs(files, `${UNIT_DIRECTORY}/${unit}`))
  return new Set(enablementLinks(files, ours).map(({ path }) => path))
}

/** Whether the step changes the links that enable its units. */
const CHANGES_LINKS: { readonly [K in KindWith<'units'>]: boolean } = {
  disable: true,
  enable: true,
  stop: false,
  restart: false,
  reload: false,
  settle: false,
  check: false,
}

/** Which directories are git-deploy's own, by whatever name somebody comes to them. */
function ownGround(machine: Machine): ReadonlySet<string> {
  const { files } = machine
  const below = (directory: string) =>
    (files.list(directory) ?? []).flatMap(name => files.stat(`${directory}/${name}`) ?? [])
  const base = walk(machine, BASE, walked =>
    walked.kind === 'reached' && walked.missing.length === 0 ? [walked.directory.self()] : [],
  )
  const all = [...base, ...below(BASE), ...below(APPS)]
  return new Set(all.filter(({ kind }) => kind === 'directory').map(({ identity }) => identity))
}

interface Looked {
  readonly walked: Walked
  readonly ground: ReadonlySet<string>
  readonly isAlias: boolean
}

function placeOf(prospect: Prospect, step: StepOf<'link'>, { walked, ground, isAlias }: Looked): Places {
  const { machine, deploy } = prospect
  const { path } = step
  if (walked.kind !== 'reached') return inTheWay(blockedParent(machine, path, walked))
  if (walked.through.some(identity => ground.has(identity))) return inTheWay(insideOurs(path))
  if (walked.missing.length > 0) return missingParent(machine, path, walked)
  const occupant = isAlias ? 'none' : occupantOf(prospect, step, walked)
  if (typeof occupant === 'object' && 'what' in occupant) return inTheWay(occupant)
  const backup = backupPath(deploy.id, path)
  return {
    obstacles: [],
    adopted: occupant === 'none' ? [] : [{ path, backup, differs: occupant.differs }],
    notes: realPlace(path, walked),
  }
}

function inTheWay(obstacle: Obstacle): Places {
  return { obstacles: [obstacle], adopted: [], notes: [] }
}

/** Special directories' places are made where they are missing; any other directory has to be there. */
function isMade({ root }: Machine, path: HostPath): boolean {
  return isManaged(parentOf(path)) || root !== ''
}

function blockedParent(machine: Machine, path: HostPath, { kind, what, hint }: Blocked): Obstacle {
  const parent = parentOf(path)
  if (kind === 'unsafe') return { what: `the link '${path}' is not safe: ${what}`, hint }
  if (isMade(machine, path)) return { what: `the directory '${parent}' cannot be created: ${what}`, hint }
  return {
    what: `the directory '${parent}' for the link '${path}' is not a directory`,
    hint: 'create it, or install the package that does',
  }
}

function insideOurs(path: HostPath): Obstacle {
  const parent = parentOf(path)
  return {
    what: `the link '${path}' would be made inside '${BASE}', because '${parent}' leads there`,
    hint: `remove the link in the path '${parent}' first, in a separate deployment`,
  }
}

function missingParent(machine: Machine, path: HostPath, reached: Reached): Places {
  if (isMade(machine, path) && !reached.stranger)
    return { obstacles: [], adopted: [], notes: realPlace(path, reached) }
  return inTheWay({
    what: `the directory '${parentOf(path)}' for the link '${path}' does not exist`,
    hint: 'create it, or install the package that does',
  })
}

/** Said where it is another than the path says, because links lead there. */
function realPlace(path: HostPath, { path: directory, missing }: Reached): string[] {
  const real = [directory === '/' ? '' : directory, ...missing, baseOf(path)].join('/')
  return real === path ? [] : [`'${path}' is '${real}' on this host`]
}

/** A link that is taken away is no reason to refuse: where it cannot be reached safely, it stays, and is named. */
function leftAlone(machine: Machine, steps: readonly Step[]): string[] {
  return steps.flatMap(step =>
    step.kind === 'unlink'
      ? walk(machine, parentOf(step.path), walked =>
          walked.kind === 'unsafe' ? [`'${step.path}' is left as it is: ${walked.what}`] : [],
        )
      : [],
  )
}

/** Two links of the tree whose paths lead to the same name in the same directory. */
function onePlaceTwice({ machine, next }: Prospect): Obstacle[] {
  const known = new Map<string, HostPath>()
  const parents = new Map<string, string | undefined>()
  const placeIn = (parent: string) => {
    if (!parents.has(parent)) parents.set(parent, walk(machine, parent, identityOf))
    return parents.get(parent)
  }
  return next.apps.flatMap(linksOf).flatMap(({ path }): Obstacle[] => {
    const parent = placeIn(parentOf(path))
    if (parent === undefined) return []
    const place = `${parent}/${baseOf(path)}`
    const other = known.get(place)
    known.set(place, other ?? path)
    if (other === undefined || other === path) return []
    return [{ what: `'${other}' and '${path}' are one place on this host`, hint: 'declare one of them' }]
  })
}

function identityOf(walked: Walked): string | undefined {
  if (walked.kind !== 'reached') return undefined
  const { through, missing } = walked
  return [through[through.length - 1], ...missing].join('/')
}

/** Of each directory that links are made in or taken from, once. */
function readOnly(machine: Machine, steps: readonly Step[]): Obstacle[] {
  const directories = steps.flatMap(step =>
    step.kind === 'link' || step.kind === 'unlink'
      ? walk(machine, parentOf(step.path), walked => (walked.kind === 'reached' ? [walked.path] : []))
      : [],
  )
  return [...new Set(directories)]
    .filter(path => machine.files.space(path).readOnly)
    .map(path => ({
      what: `'${path}' is on a read-only file system, but the plan changes links there`,
      hint: 'remount the file system for writing',
    }))
}
