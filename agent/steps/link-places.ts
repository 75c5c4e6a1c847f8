/** Whether links can go where the plan wants them, and what they take the place of. */

import type { HostPath } from '../../src/plan/names.ts'
import { APPS, BASE } from '../../src/plan/places.ts'
import { isManaged } from '../../src/plan/special-directories.ts'
import type { KindWith, Step, StepOf } from '../../src/plan/steps.ts'
import type { Adopted, Deploy, Obstacle } from '../../src/protocol/messages.ts'
import { followed } from '../host/files.ts'
import type { Files, Machine } from '../host/machine.ts'
import { backupPath, parentOf, versionName } from '../host/paths.ts'
import { isOurs } from '../store/inventory.ts'
import { enablementLinks } from '../systemd/enablement-links.ts'
import { UNIT_DIRECTORY } from '../systemd/systemd.ts'

interface Places {
  readonly obstacles: readonly Obstacle[]
  readonly adopted: readonly Adopted[]
}

export function findPlaces(machine: Machine, steps: readonly Step[], deploy: Deploy): Places {
  const links = steps.filter((step): step is StepOf<'link'> => step.kind === 'link')
  const aliases = aliasesToGo(machine.files, steps)
  const places = links.map(step => ({
    step,
    place: aliases.has(step.path) ? FREE : placeOf(machine, step, deploy),
  }))
  return {
    obstacles: [
      ...places.flatMap(({ step, place }) => ('what' in place ? [place] : parentTrouble(machine, step.path))),
      ...readOnly(machine.files, steps),
    ],
    adopted: places.flatMap(({ step: { path }, place }) =>
      'differs' in place ? [{ path, backup: backupPath(deploy.id, path), differs: place.differs }] : [],
    ),
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

const FREE: PlaceOf = { free: true }

type PlaceOf = { readonly free: true } | { readonly differs: boolean } | Obstacle

/** Free, ours already, something that may be adopted, or in the way. */
function placeOf(machine: Machine, step: StepOf<'link'>, { to, adopt }: Deploy): PlaceOf {
  const { files } = machine
  const stat = files.stat(step.path)
  if (stat === undefined) return FREE
  if (stat.kind === 'symlink') return placeOfLink(step.path, files.readlink(step.path) ?? '', adopt)
  if (stat.kind !== 'file')
    return {
      what: `'${step.path}' exists and is a ${stat.kind === 'directory' ? 'directory' : 'special file'}`,
      hint: 'move it away, or put its contents into the config tree',
    }
  const staged = stagedPath(files, step.target, versionName(to))
  if (sameContent(machine, step.path, staged)) return { differs: false }
  return adopt ? { differs: true } : differs(step.path, stat.size, files.stat(staged)?.size)
}

function placeOfLink(path: HostPath, target: string, adopt: boolean): PlaceOf {
  if (target.startsWith(`${APPS}/`)) return FREE
  if (target === '/dev/null')
    return {
      what: `'${path}' is masked: a link to '/dev/null'`,
      hint: "run 'systemctl unmask' on the host first; --adopt does not replace it",
    }
  if (adopt) return { differs: true }
  return {
    what: `'${path}' is a link to '${target}' that git-deploy did not make`,
    hint: 'use --adopt to replace it; a backup is kept',
  }
}

function differs(path: HostPath, there: number, ours: number | undefined): Obstacle {
  const sizes =
    ours === undefined
      ? 'the target is a directory'
      : there === ours
        ? `both have ${there} bytes`
        : `it has ${there} bytes, the target ${ours}`
  return {
    what: `'${path}' exists and differs from the target of the new link: ${sizes}`,
    hint: 'use --adopt to replace it; a backup is kept',
  }
}

/** The link's target as it will be: `current` is still the version that runs, and stays it where only links are mended. */
function stagedPath(files: Files, target: HostPath, version: string): string {
  const next = target.replace(/\/current\/.*/s, `/${version}`)
  return files.stat(next) ? target.replace('/current/', `/${version}/`) : target
}

function sameContent(machine: Machine, a: string, b: string): boolean {
  const hash = (path: string) => {
    const hasher = machine.hasher('sha256')
    return machine.files.readPieces(path, piece => hasher.update(piece)) && hasher.digest()
  }
  return machine.files.stat(b)?.kind === 'file' && hash(a) === hash(b)
}

/** Special directories' places are made where they are missing; any other directory has to be there. */
function parentTrouble({ files, root }: Machine, path: HostPath): Obstacle[] {
  const parent = parentOf(path)
  const real = followed(files, parent)
  if (real === BASE || real.startsWith(`${BASE}/`))
    return [
      {
        what: `the link '${path}' would be made inside '${BASE}', because '${parent}' leads there`,
        hint: `remove the link in the path '${parent}' first, in a separate deployment`,
      },
    ]
  const kind = files.stat(real)?.kind
  if (kind === 'directory') return []
  if (isManaged(parent) || (root !== '' && kind === undefined)) return unmakeable(files, real)
  const what = kind === undefined ? 'does not exist' : 'is not a directory'
  return [
    {
      what: `the directory '${parent}' for the link '${path}' ${what}`,
      hint: 'create it, or install the package that does',
    },
  ]
}

function unmakeable(files: Files, path: string): Obstacle[] {
  const existing = nearest(files, path)
  if (files.stat(existing)?.kind === 'directory') return []
  return [
    {
      what: `the directory '${path}' cannot be created: '${existing}' is not a directory`,
      hint: 'move it away',
    },
  ]
}

/** Of each directory that links are made in or taken from, once. */
function readOnly(files: Files, steps: readonly Step[]): Obstacle[] {
  const parents = steps.flatMap(step =>
    step.kind === 'link' || step.kind === 'unlink'
      ? [nearest(files, followed(files, parentOf(step.path)))]
      : [],
  )
  return [...new Set(parents)]
    .filter(path => files.space(path).readOnly)
    .map(path => ({
      what: `'${path}' is on a read-only file system, but the plan changes links there`,
      hint: 'remount the file system for writing',
    }))
}

/** The path, or the first above it that exists. */
function nearest(files: Files, path: string): string {
  return path === '/' || files.stat(path) ? path : nearest(files, parentOf(path))
}
