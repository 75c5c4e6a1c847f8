/** The steps that make and remove links outside our own directory. */
import type { HostPath } from '../../src/plan/names.ts'
import { APPS } from '../../src/plan/places.ts'
import { isDropInDirectory, unitBehind } from '../../src/plan/special-directories.ts'
import type { StepOf } from '../../src/plan/steps.ts'
import { dropTemporary, placeLink } from '../host/files.ts'
import { backupPath, baseOf, parentOf } from '../host/paths.ts'
import { restoreLink } from '../host/restore-link.ts'
import { BlockedPath, inDirectory, rmdirAt, unlessBlocked, walk } from '../host/walk.ts'
import type { Reached } from '../host/way.ts'
import { isOurs } from '../store/inventory.ts'
import type { Before, Was } from '../store/journal.ts'
import { type Action, type Context, leavesNothing } from './action.ts'
import { keepFile, keepLink, restoreFile } from './backup.ts'

type PathBefore = Extract<Before, { readonly kind: 'path' }>

export const linkAction: Action<StepOf<'link'>> = {
  systemd: 'unused',
  before: ({ path }, context) => beforeAt(path, context),
  run({ path, target }, { machine }) {
    inDirectory(machine, parentOf(path), 'make', ({ directory }) => {
      placeLink(directory, target, baseOf(path))
    })
  },
  undo({ path, role }, before, context, deferred) {
    putBack(path, before, context)
    const unit = unitBehind(role, baseOf(path))
    if (unit !== undefined) deferred.withoutFile.add(unit)
  },
  touches: ({ path }, before) => [
    parentOf(path),
    ...(before.kind === 'path' ? before.madeDirectories.map(parentOf) : []),
  ],
  leaves: ({ path }) => ({ links: [path], units: [] }),
}

export const unlinkAction: Action<StepOf<'unlink'>> = {
  systemd: 'unused',
  before: ({ path }, context) =>
    unlessBlocked(() => ({ ...beforeAt(path, context), madeDirectories: [] })) ?? { kind: 'nothing' },
  run({ path }, { machine }) {
    const parent = parentOf(path)
    // A path that is no longer safe is left alone, as staging has said.
    unlessBlocked(() => {
      inDirectory(machine, parent, 'leave', ({ directory }) => {
        if (isOurs(directory, baseOf(path))) directory.unlink(baseOf(path))
      })
      if (isDropInDirectory(parent)) rmdirAt(machine, parent)
    })
  },
  undo: ({ path }, before, context) => putBack(path, before, context),
  touches({ path }) {
    const directory = parentOf(path)
    return isDropInDirectory(directory) ? [directory, parentOf(directory)] : [directory]
  },
  leaves: leavesNothing,
}

function beforeAt(path: HostPath, context: Context): PathBefore {
  return walk(context.machine, parentOf(path), walked => {
    if (walked.kind !== 'reached') throw new BlockedPath(walked.what)
    const { missing, through } = walked
    return {
      kind: 'path',
      was: missing.length > 0 ? { kind: 'absent' } : whatIsAt(path, walked, context),
      madeDirectories: missing.map((_, i) => [walked.path, ...missing.slice(0, i + 1)].join('/')),
      place: through[through.length - 1]!,
    }
  })
}

/** What is at the path now; what is not ours is kept in the backup first, with its mode and owner. */
function whatIsAt(path: HostPath, reached: Reached, context: Context): Was {
  const { directory } = reached
  const name = baseOf(path)
  const target = directory.readlink(name)
  if (target?.startsWith(`${APPS}/`)) return { kind: 'link', target }
  if (target === undefined && directory.stat(name)?.kind !== 'file') return { kind: 'absent' }
  const backup = backupPath(context.header.id, path)
  if (target === undefined) keepFile(reached, name, backup, context)
  else keepLink(target, backup, context)
  return target === undefined ? { kind: 'file', backup } : { kind: 'link', target }
}

function putBack(path: HostPath, before: Before, context: Context): void {
  if (before.kind !== 'path') return
  const { machine } = context
  const { was, madeDirectories } = before
  try {
    inDirectory(machine, parentOf(path), was.kind === 'absent' ? 'leave' : 'make', (reached, isNew) => {
      // An undo that was killed may have made a drop-in directory again.
      const again = isNew || (isDropInDirectory(parentOf(path)) && reached.stranger === undefined)
      if (!again && !isSamePlace(reached, before, context))
        throw new BlockedPath(`'${reached.path}' is another directory than it was`)
      restore(reached, baseOf(path), was, context)
    })
  } catch (error) {
    if (!(error instanceof BlockedPath)) throw error
    const kept = was.kind === 'file' ? `, and the file that was there is kept as '${was.backup}'` : ''
    throw new BlockedPath(`'${path}' was left as it is${kept}: ${error.message}`)
  }
  for (const made of [...madeDirectories].reverse()) rmdirAt(machine, made)
}

/** Numbers of devices and inodes mean something until the next boot. */
function isSamePlace({ through }: Reached, before: PathBefore, { machine, header }: Context): boolean {
  const { place, madeDirectories } = before
  if (place === undefined || header.bootId !== machine.bootId()) return true
  return madeDirectories.length > 0 ? through.includes(place) : through[through.length - 1] === place
}

function restore(reached: Reached, name: string, was: Was, context: Context): void {
  const { directory } = reached
  dropTemporary(directory, name)
  // Absent: disabling a unit also takes the link away by which it is known.
  const free = isOurs(directory, name) || directory.stat(name) === undefined
  if (was.kind === 'absent' && free) directory.unlink(name)
  else if (was.kind === 'link') restoreLink(directory, was.target, name)
  else if (was.kind === 'file' && free) restoreFile(reached, name, was.backup, context)
}
